// Calls the codec's function, which `find` returns; returns what it answered, or threw, as JSON.
// The input is JSON, too; with null it looks for the function alone. What the engine itself throws
// for want of memory comes out as it is: an error of its own, or null.
(find) => {
  const own = { Date, InternalError, JSON, Promise, String, TypeError }; // a codec may give the names to others
  return (text) => {
    const input = own.JSON.parse(text);
    const answer = find();
    if (!answer) return own.JSON.stringify({ form: "none" });
    if (!input) return own.JSON.stringify({});
    try {
      input.recvTime = new own.Date(input.recvTime);
      const given = answer(input);
      if (given instanceof own.Promise || (given && given.data instanceof own.Promise)) {
        throw new own.TypeError("it answers with a Promise, for which nothing waits");
      }
      return own.JSON.stringify({ answer: given });
    } catch (error) {
      if (error === null || error instanceof own.InternalError) throw error;
      return own.JSON.stringify({ threw: own.String(error) });
    }
  };
}
