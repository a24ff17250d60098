function decodeUplink(input) {
  var hundredths = (input.bytes[0] << 24 >> 16) | input.bytes[1];
  return { data: { temperature: hundredths / 100, humidity: input.bytes[2] } };
}
