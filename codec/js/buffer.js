// Node's Buffer, as far as codecs use it: a property of the global object alone, so that a codec may
// declare the same name.
(function () {
  "use strict";

  // A codec may give these names to others.
  const { Array, ArrayBuffer, DataView, Math, RangeError, String, TypeError } = globalThis;
  const { Uint8Array, URIError, decodeURIComponent, encodeURIComponent, escape, parseInt, unescape } =
    globalThis;

  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const ENCODINGS = {
    "hex": { bytes: fromHex, text: toHex },
    "base64": { bytes: fromBase64, text: toBase64 },
    "base64url": {
      bytes: fromBase64,
      text: (bytes) => toBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, ""),
    },
    "utf8": { bytes: fromUtf8, text: toUtf8 },
    "ascii": { bytes: codes, text: (bytes) => characters(bytes.map((byte) => byte & 0x7f)) },
    "latin1": { bytes: codes, text: characters },
    "utf16le": { bytes: fromUtf16, text: toUtf16 },
  };
  Object.assign(ENCODINGS, {
    "utf-8": ENCODINGS.utf8,
    "binary": ENCODINGS.latin1,
    "utf-16le": ENCODINGS.utf16le,
    "ucs2": ENCODINGS.utf16le,
    "ucs-2": ENCODINGS.utf16le,
  });

  function encoded(name = "utf8") {
    const found = ENCODINGS[String(name).toLowerCase()];
    if (!found) throw new TypeError("Unknown encoding: " + name);
    return found;
  }

  function codes(text) {
    return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index) & 0xff);
  }

  function characters(bytes) {
    return bytes.map((byte) => String.fromCharCode(byte)).join("");
  }

  function fromHex(text) {
    return (text.match(/^(?:[0-9a-f]{2})*/i)[0].match(/../g) || []).map((h) => parseInt(h, 16));
  }

  function toHex(bytes) {
    return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function fromBase64(text) {
    const bytes = [];
    let bits = 0;
    let held = 0;
    for (const character of text.replace(/-/g, "+").replace(/_/g, "/")) {
      const digit = DIGITS.indexOf(character);
      if (digit < 0) continue;
      bits = ((bits << 6) | digit) & 0xffff;
      held += 6;
      if (held >= 8) {
        held -= 8;
        bytes.push((bits >> held) & 0xff);
      }
    }
    return bytes;
  }

  function toBase64(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
      for (let digit = 0; digit < 4; digit++) {
        text += i + digit > bytes.length ? "=" : DIGITS[(group >> (18 - 6 * digit)) & 63];
      }
    }
    return text;
  }

  function fromUtf8(text) {
    return codes(unescape(encodeURIComponent(text)));
  }

  function toUtf8(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; ) {
      const length = bytes[i] < 0xc0 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
      try {
        text += decodeURIComponent(escape(characters(bytes.slice(i, i + length))));
        i += length;
      } catch (error) {
        if (!(error instanceof URIError)) throw error;
        text += "\ufffd";
        i += 1;
      }
    }
    return text;
  }

  function fromUtf16(text) {
    return Array.from(text.split("")).flatMap((one) => [
      one.charCodeAt(0) & 0xff,
      one.charCodeAt(0) >> 8,
    ]);
  }

  function toUtf16(bytes) {
    let text = "";
    for (let i = 0; i + 1 < bytes.length; i += 2) {
      text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    }
    return text;
  }

  function signed(value, length) {
    return value < 2 ** (8 * length - 1) ? value : value - 2 ** (8 * length);
  }

  class Bytes extends Uint8Array {
    toString(encoding, start = 0, end = this.length) {
      return encoded(encoding).text(Array.from(this.subarray(Math.max(0, start), Math.max(0, end))));
    }

    slice(start, end) {
      return this.subarray(start, end); // shares the memory, as in Node
    }

    equals(other) {
      return this.length === other.length && this.every((byte, index) => byte === other[index]);
    }

    compare(other) {
      return Buffer.compare(this, other);
    }

    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }

    fill(value, start = 0, end = this.length, encoding) {
      if (typeof start === "string") [start, end, encoding] = [0, this.length, start];
      if (typeof value === "number") return super.fill(value, start, end);
      const pattern = Buffer.from(value, encoding);
      for (let i = start; i < end; i++) this[i] = pattern.length ? pattern[(i - start) % pattern.length] : 0;
      return this;
    }

    indexOf(value, offset = 0, encoding) {
      if (typeof value === "number") return super.indexOf(value & 0xff, offset);
      const wanted = Buffer.from(value, encoding);
      for (let i = offset < 0 ? this.length + offset : offset; i + wanted.length <= this.length; i++) {
        if (wanted.every((byte, index) => byte === this[i + index])) return i;
      }
      return -1;
    }

    includes(value, offset, encoding) {
      return this.indexOf(value, offset, encoding) >= 0;
    }

    write(text, offset = 0, length = this.length - offset, encoding) {
      if (typeof offset === "string") [offset, length, encoding] = [0, this.length, offset];
      if (typeof length === "string") [length, encoding] = [this.length - offset, length];
      const bytes = encoded(encoding).bytes(text).slice(0, Math.min(length, this.length - offset));
      this.set(bytes, offset);
      return bytes.length;
    }

    copy(target, targetStart = 0, start = 0, end = this.length) {
      const bytes = this.subarray(start, Math.min(end, start + target.length - targetStart));
      target.set(bytes, targetStart);
      return bytes.length;
    }

    readUIntBE(offset, length) {
      return this._part(offset, length).reduce((value, byte) => value * 256 + byte, 0);
    }

    readUIntLE(offset, length) {
      return this._part(offset, length).reduceRight((value, byte) => value * 256 + byte, 0);
    }

    readIntBE(offset, length) {
      return signed(this.readUIntBE(offset, length), length);
    }

    readIntLE(offset, length) {
      return signed(this.readUIntLE(offset, length), length);
    }

    writeUIntBE(value, offset, length) {
      this._part(offset, length);
      for (let i = length - 1; i >= 0; i--, value = Math.floor(value / 256)) this[offset + i] = value;
      return offset + length;
    }

    writeUIntLE(value, offset, length) {
      this._part(offset, length);
      for (let i = 0; i < length; i++, value = Math.floor(value / 256)) this[offset + i] = value;
      return offset + length;
    }

    _part(offset, length) {
      if (!(length >= 1 && length <= 6)) throw new RangeError("byteLength is not from 1 to 6");
      if (!(offset >= 0 && offset + length <= this.length)) {
        throw new RangeError("Attempt to access memory outside buffer bounds");
      }
      return Array.from(this.subarray(offset, offset + length));
    }
  }

  const prototype = Bytes.prototype;
  for (const order of ["BE", "LE"]) {
    prototype["writeInt" + order] = prototype["writeUInt" + order];
    for (const verb of ["read", "write"]) {
      prototype[verb + "Uint" + order] = prototype[verb + "UInt" + order]; // Node has both
    }
  }
  for (const [name, size, how] of [
    ["UInt8", 1, "Uint8"],
    ["Int8", 1, "Int8"],
    ["UInt16", 2, "Uint16"],
    ["Int16", 2, "Int16"],
    ["UInt32", 4, "Uint32"],
    ["Int32", 4, "Int32"],
    ["Float", 4, "Float32"],
    ["Double", 8, "Float64"],
    ["BigUInt64", 8, "BigUint64"],
    ["BigInt64", 8, "BigInt64"],
  ]) {
    for (const order of size === 1 ? [""] : ["BE", "LE"]) {
      const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
      const names = [name + order, name.replace("UInt", "Uint") + order];
      for (const each of names) {
        prototype["read" + each] = function (offset = 0) {
          return view(this)["get" + how](offset, order === "LE");
        };
        prototype["write" + each] = function (value, offset = 0) {
          view(this)["set" + how](offset, value, order === "LE");
          return offset + size;
        };
      }
    }
  }

  // Called with new or without.
  function Buffer(value, encoding, length) {
    return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, encoding, length);
  }
  Buffer.prototype = prototype;
  prototype.constructor = Buffer;
  Object.defineProperty(Buffer, Symbol.species, { value: Bytes }); // what subarray makes

  Buffer.from = (value, encoding, length) => {
    if (typeof value === "string") value = encoded(encoding).bytes(value);
    if (value instanceof ArrayBuffer) return new Bytes(value, encoding, length);
    const given = Array.from(value && value.type === "Buffer" ? value.data : value);
    const buffer = new Bytes(given.length);
    buffer.set(given);
    return buffer;
  };
  Buffer.alloc = (length, fill = 0, encoding) => new Bytes(length).fill(fill, 0, length, encoding);
  Buffer.allocUnsafe = (length) => new Bytes(length);
  Buffer.concat = (parts, length) => {
    const all = parts.flatMap((part) => Array.from(part));
    const buffer = new Bytes(length === undefined ? all.length : length);
    buffer.set(all.slice(0, buffer.length));
    return buffer;
  };
  Buffer.isBuffer = (value) => value instanceof Bytes;
  Buffer.isEncoding = (name) => String(name).toLowerCase() in ENCODINGS;
  Buffer.byteLength = (value, encoding) =>
    typeof value === "string" ? encoded(encoding).bytes(value).length : value.byteLength;
  Buffer.compare = (one, other) => {
    const at = one.findIndex((byte, index) => byte !== other[index]);
    const difference = at < 0 || at >= other.length ? one.length - other.length : one[at] - other[at];
    return Math.sign(difference);
  };

  globalThis.Buffer = Buffer;
})();
