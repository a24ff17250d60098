"""The operator's tools: everything that `lora-bridge` does beside running the bridge."""
