// The codec's function, whichever form it has, as one of the Payload Codec API; undefined without
// any. Read where the codec's names are seen.
() => {
  if (typeof decodeUplink === "function") return decodeUplink;
  const exported = typeof module === "undefined" ? undefined : module?.exports?.decodeUplink;
  if (typeof exported === "function") return exported;
  if (typeof Decode === "function")
    return ({ bytes, fPort, variables }) => ({ data: Decode(fPort, bytes, variables) });
  if (typeof Decoder === "function")
    return ({ bytes, fPort }) => ({ data: Decoder(bytes, fPort) });
}
