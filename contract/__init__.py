"""What every side agrees on: names, settings, times, EUIs, rows. Imports no other room."""
