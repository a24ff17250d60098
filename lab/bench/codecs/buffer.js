function decodeUplink(input) {
  return { data: { all: Buffer.from(input.bytes).readUInt32BE(0) } };
}
