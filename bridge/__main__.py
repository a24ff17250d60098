"""``python -m bridge`` is the same as ``lora-bridge``."""

from bridge.cli import main

if __name__ == "__main__":
    main()
