// Calls a codec's function, which `find()` gives for its name in the Payload Codec API; returns
// what it answered, or threw, as JSON. What it is asked is JSON, too: the name and the input; with
// null it looks for the function alone. What the engine itself throws for want of memory comes out
// as it is: an error of its own, or null.
(find) => {
  // A codec may give the names to others.
  const own = { Date, InternalError, JSON, Promise, String, TypeError, Uint8Array };
  const isPromise = (it) => it instanceof own.Promise;
  return (text) => {
    const { name, input } = own.JSON.parse(text);
    const answer = find()(name);
    if (!answer) return own.JSON.stringify({ missing: name });
    if (!input) return own.JSON.stringify({});
    try {
      if (input.recvTime !== undefined) input.recvTime = new own.Date(input.recvTime);
      const given = answer(input);
      if (isPromise(given) || isPromise(given?.data) || isPromise(given?.bytes)) {
        throw new own.TypeError("it answers with a Promise, for which nothing waits");
      }
      const typed = given?.bytes instanceof own.Uint8Array; // which JSON knows as an object
      return own.JSON.stringify({ answer: typed ? { ...given, bytes: [...given.bytes] } : given });
    } catch (error) {
      if (error === null || error instanceof own.InternalError) throw error;
      return own.JSON.stringify({ threw: own.String(error) });
    }
  };
}
