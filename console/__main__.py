"""``python -m console`` is the same as ``lora-bridge``."""

from console.cli import main

if __name__ == "__main__":
    main()
