// Node's Buffer, as far as codecs read with it: a property of the global object alone, so that a
// codec may declare the same name.
(function () {
  "use strict";

  class Buffer extends Uint8Array {
    static from(value, encoding) {
      if (typeof value === "string") return Buffer.from(Buffer._bytes(value, encoding));
      if (value instanceof ArrayBuffer) return new Buffer(value);
      const given = Array.from(value);
      const buffer = new Buffer(given.length);
      buffer.set(given);
      return buffer;
    }

    static alloc(length, fill = 0) {
      return new Buffer(length).fill(fill);
    }

    static concat(parts) {
      return Buffer.from(parts.flatMap((part) => Array.from(part)));
    }

    static isBuffer(value) {
      return value instanceof Buffer;
    }

    static _bytes(text, encoding = "utf8") {
      switch (encoding.toLowerCase()) {
        case "hex":
          return (text.match(/^(?:[0-9a-f]{2})*/i)[0].match(/../g) || []).map((h) => parseInt(h, 16));
        case "base64":
        case "base64url":
          return Buffer._fromBase64(text);
        case "utf8":
        case "utf-8":
          text = unescape(encodeURIComponent(text));
      }
      return Array.from(text, (character) => character.charCodeAt(0));
    }

    static _fromBase64(text) {
      const bytes = [];
      let bits = 0;
      let held = 0;
      for (const character of text.replace(/-/g, "+").replace(/_/g, "/")) {
        const digit = Buffer._DIGITS.indexOf(character);
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

    toString(encoding = "utf8", start = 0, end = this.length) {
      const bytes = Array.from(this.subarray(start, end));
      switch (encoding.toLowerCase()) {
        case "hex":
          return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
        case "base64":
          return Buffer._toBase64(bytes);
        case "ascii":
          return String.fromCharCode(...bytes.map((byte) => byte & 0x7f));
        case "utf8":
        case "utf-8":
          try {
            return decodeURIComponent(escape(String.fromCharCode(...bytes)));
          } catch {
            return bytes.map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : "\ufffd")).join("");
          }
      }
      return String.fromCharCode(...bytes);
    }

    static _toBase64(bytes) {
      let text = "";
      for (let i = 0; i < bytes.length; i += 3) {
        const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
        for (let digit = 0; digit < 4; digit++) {
          text += i + digit > bytes.length ? "=" : Buffer._DIGITS[(group >> (18 - 6 * digit)) & 63];
        }
      }
      return text;
    }

    slice(start, end) {
      return this.subarray(start, end); // shares the memory, as in Node
    }

    equals(other) {
      return this.length === other.length && this.every((byte, index) => byte === other[index]);
    }

    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }

    readUIntBE(offset, length) {
      return this._part(offset, length).reduce((value, byte) => value * 256 + byte, 0);
    }

    readUIntLE(offset, length) {
      return this._part(offset, length).reduceRight((value, byte) => value * 256 + byte, 0);
    }

    readIntBE(offset, length) {
      return Buffer._signed(this.readUIntBE(offset, length), length);
    }

    readIntLE(offset, length) {
      return Buffer._signed(this.readUIntLE(offset, length), length);
    }

    static _signed(value, length) {
      return value < 2 ** (8 * length - 1) ? value : value - 2 ** (8 * length);
    }

    _part(offset, length) {
      if (offset < 0 || offset + length > this.length) {
        throw new RangeError("Attempt to access memory outside buffer bounds");
      }
      return Array.from(this.subarray(offset, offset + length));
    }
  }

  Buffer._DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
      const names = [name + order, name.replace("UInt", "Uint") + order]; // Node has both
      for (const each of names) {
        Buffer.prototype["read" + each] = function (offset = 0) {
          return view(this)["get" + how](offset, order === "LE");
        };
        Buffer.prototype["write" + each] = function (value, offset = 0) {
          view(this)["set" + how](offset, value, order === "LE");
          return offset + size;
        };
      }
    }
  }

  globalThis.Buffer = Buffer;
})();
