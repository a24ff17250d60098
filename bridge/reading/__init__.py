"""What is in the table: read, shown, plotted, exported, and followed live."""
