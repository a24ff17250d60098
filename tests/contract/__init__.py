"""What every side agrees on."""
