var seen = 0;
function decodeUplink(input) {
  seen += 1;
  return {
    data: {
      first: input.bytes[0] / 10,
      rest: input.bytes.slice(1),
      unit: input.variables.unit,
      at: input.recvTime.toISOString(),
      seen: seen,
    },
    warnings: input.bytes[0] === 0 ? ["nothing"] : [],
  };
}
