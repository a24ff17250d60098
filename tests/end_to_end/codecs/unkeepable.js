function decodeUplink() { return { data: { tiny: 5e-324 } }; }
