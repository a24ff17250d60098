// Cayenne Low Power Payload: channel, type and value, over and over, big-endian.
// Types and units: docs.mydevices.com/docs/lorawan/cayenne-lpp, and for those from 100 on that it
// does not list, the IPSO objects of the same number less 3200.
var TYPES = {
  0: ["digital_in", 1, 1],
  1: ["digital_out", 1, 1],
  2: ["analog_in", -2, 100],
  3: ["analog_out", -2, 100],
  100: ["generic", 4, 1],
  101: ["luminosity", 2, 1],
  102: ["presence", 1, 1],
  103: ["temperature", -2, 10],
  104: ["relative_humidity", 1, 2],
  113: ["accelerometer", -2, 1000, ["x", "y", "z"]],
  115: ["barometric_pressure", 2, 10],
  116: ["voltage", 2, 100],
  117: ["current", 2, 1000],
  118: ["frequency", 4, 1],
  120: ["percentage", 1, 1],
  121: ["altitude", -2, 1],
  125: ["concentration", 2, 1],
  128: ["power", 2, 1],
  130: ["distance", 4, 1000],
  131: ["energy", 4, 1000],
  132: ["direction", 2, 1],
  133: ["unix_time", 4, 1],
  134: ["gyrometer", -2, 100, ["x", "y", "z"]],
  135: ["colour", 1, 1, ["r", "g", "b"]],
  136: ["gps", -3, 10000, ["latitude", "longitude", "altitude"]],
  142: ["switch", 1, 1],
};

function decodeUplink(input) {
  var data = {};
  var at = 0;
  var bytes = input.bytes;

  function read(size, divisor) {
    var begin = at;
    var value = 0;
    for (at += Math.abs(size); begin < at; begin++) {
      if (begin >= bytes.length) throw new Error("cut off at byte " + bytes.length);
      value = value * 256 + bytes[begin];
    }
    var range = Math.pow(256, Math.abs(size));
    return (size < 0 && value >= range / 2 ? value - range : value) / divisor;
  }

  while (at < bytes.length) {
    var channel = read(1, 1);
    var begin = at;
    var type = TYPES[read(1, 1)];
    if (!type) return { errors: ["unknown type " + bytes[begin] + " at byte " + begin] };
    var parts = type[3];
    data[type[0] + "_" + channel] = parts
      ? parts.reduce(function (value, part) {
          // The altitude alone has another unit than the rest of its value.
          value[part] = read(type[1], part === "altitude" ? 100 : type[2]);
          return value;
        }, {})
      : read(type[1], type[2]);
  }
  return { data: data };
}
