// Calls the codec in whichever form it has; returns what it answered, or threw, as JSON.
// The input is JSON, too; with null it looks for the form alone.
(function (text) {
  const input = JSON.parse(text);
  const exported = globalThis.module && module.exports && module.exports.decodeUplink;
  let answer;
  if (typeof decodeUplink === "function") answer = decodeUplink;
  else if (typeof exported === "function") answer = exported;
  else if (typeof Decode === "function")
    answer = ({ bytes, fPort, variables }) => ({ data: Decode(fPort, bytes, variables) });
  else if (typeof Decoder === "function")
    answer = ({ bytes, fPort }) => ({ data: Decoder(bytes, fPort) });
  else return JSON.stringify({ form: "none" });
  if (!input) return JSON.stringify({});
  try {
    input.recvTime = new Date(input.recvTime);
    const given = answer(input);
    if (given instanceof Promise || (given && given.data instanceof Promise)) {
      throw new TypeError("it answers with a Promise, for which nothing waits");
    }
    return JSON.stringify({ answer: given });
  } catch (error) {
    return JSON.stringify({ threw: String(error) });
  }
});
