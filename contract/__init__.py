"""What every side agrees on: names, times, EUIs, rows and the one error. Imports no other room."""
