function decodeUplink() { for (;;); }
