// The codec's function for a name in the Payload Codec API, in whichever form the codec has it;
// undefined without any. Read where the codec's names are seen.
(name) => {
  const declared = {
    decodeUplink: typeof decodeUplink === "function" && decodeUplink,
    encodeDownlink: typeof encodeDownlink === "function" && encodeDownlink,
    decodeDownlink: typeof decodeDownlink === "function" && decodeDownlink,
  };
  if (declared[name]) return declared[name];
  const exported = typeof module === "undefined" ? undefined : module?.exports;
  if (typeof exported?.[name] === "function") return exported[name];
  if (name === "decodeUplink" && typeof exported === "function") return exported;
  // Drivers of ThingPark
  for (const it of [typeof driver === "undefined" ? undefined : driver, exported?.driver]) {
    if (typeof it?.[name] === "function") return (input) => it[name](input);
  }
  // ChirpStack 3 and The Things Stack 2
  if (name === "decodeUplink") {
    if (typeof Decode === "function")
      return ({ bytes, fPort, variables }) => ({ data: Decode(fPort, bytes, variables) });
    if (typeof Decoder === "function")
      return ({ bytes, fPort }) => ({ data: Decoder(bytes, fPort) });
  }
  if (name === "encodeDownlink") {
    if (typeof Encode === "function")
      return ({ data, fPort, variables }) => ({ bytes: Encode(fPort, data, variables) });
    if (typeof Encoder === "function")
      return ({ data, fPort }) => ({ bytes: Encoder(data, fPort) });
  }
}
