// Calls the codec's function, which `find` returns; returns what it answered, or threw, as JSON.
// The input is JSON, too; with null it looks for the function alone.
(find) => (text) => {
  const input = JSON.parse(text);
  const answer = find();
  if (!answer) return JSON.stringify({ form: "none" });
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
}
