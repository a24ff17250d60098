// The payload of the simulated sensors: hundredths of a degree, and a percentage.
function decodeUplink(input) {
  var bytes = input.bytes;
  if (bytes.length !== 3) {
    return { errors: ["expected 3 bytes, got " + bytes.length] };
  }
  var hundredths = (bytes[0] << 24 >> 16) | bytes[1];
  var result = { data: { temperature: hundredths / 100, humidity: bytes[2] } };
  if (bytes[2] > 90) {
    result.warnings = ["condensation"];
  }
  return result;
}
