function decodeUplink() { throw new Error("no such sensor"); }
