// Calls the codec in whichever form it has; returns what it answered, or threw, as JSON.
(function (input) {
  const exported = (name) => (globalThis.module && module.exports && module.exports[name]) || null;
  const { bytes, fPort, variables } = input;
  const recvTime = new Date(input.recvTime);
  let answer;
  try {
    if (typeof decodeUplink === "function") {
      answer = decodeUplink({ bytes, fPort, recvTime, variables });
    } else if (exported("decodeUplink")) {
      answer = exported("decodeUplink")({ bytes, fPort, recvTime, variables });
    } else if (typeof Decode === "function") {
      answer = { data: Decode(fPort, bytes, variables) };
    } else if (typeof Decoder === "function") {
      answer = { data: Decoder(bytes, fPort) };
    } else {
      return JSON.stringify({ form: "none" });
    }
    return JSON.stringify({ answer });
  } catch (error) {
    return JSON.stringify({ threw: String(error) });
  }
});
