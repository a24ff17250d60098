// The codec's function, whichever form it has, as one of the Payload Codec API; undefined without
// any. Read where the codec's names are seen.
() => {
  if (typeof decodeUplink === "function") return decodeUplink;
  const exported = typeof module === "undefined" ? undefined : module?.exports;
  if (typeof exported?.decodeUplink === "function") return exported.decodeUplink;
  if (typeof exported === "function") return exported;
  // Drivers of ThingPark
  for (const it of [typeof driver === "undefined" ? undefined : driver, exported?.driver]) {
    if (typeof it?.decodeUplink === "function") return (input) => it.decodeUplink(input);
  }
  if (typeof Decode === "function")
    return ({ bytes, fPort, variables }) => ({ data: Decode(fPort, bytes, variables) });
  if (typeof Decoder === "function")
    return ({ bytes, fPort }) => ({ data: Decoder(bytes, fPort) });
}
