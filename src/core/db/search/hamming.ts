/**
 * A WebAssembly function of 137 bytes that counts, for each row of bits, in how many it differs from the query's:
 * the processor has an instruction for it (`i64.popcnt`) that JavaScript cannot reach, and it is all the time there is.
 * Its text: for each of `rows` rows of `width` bytes (a multiple of 8) at `row`, a 16-bit count goes to `out`.
 */
const CODE = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // \0asm, version 1
  0x01, 0x09, 0x01, 0x60, 0x05, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x00, // type: (row, rows, width, query, out: i32) -> ()
  0x02, 0x08, 0x01, 0x01, 0x65, 0x01, 0x6d, 0x02, 0x00, 0x01, // import: e.m, a memory
  0x03, 0x02, 0x01, 0x00, // one function of that type
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, // export: f
  0x0a, 0x5f, 0x01, 0x5d, 0x02, 0x01, 0x7e, 0x01, 0x7f, // code, one body; locals: count (i64, 5), at (i32, 6)
  0x02, 0x40, 0x03, 0x40, // block, loop
  0x20, 0x01, 0x45, 0x0d, 0x01, //   rows = 0: leave the block
  0x42, 0x00, 0x21, 0x05, 0x41, 0x00, 0x21, 0x06, //   count = 0, at = 0
  0x03, 0x40, //   loop
  0x20, 0x05, //     count
  0x20, 0x00, 0x20, 0x06, 0x6a, 0x29, 0x03, 0x00, //     64 bits at row + at
  0x20, 0x03, 0x20, 0x06, 0x6a, 0x29, 0x03, 0x00, //     64 bits at query + at
  0x85, 0x7b, 0x7c, 0x21, 0x05, //     count += popcnt(a ^ b)
  0x20, 0x06, 0x41, 0x08, 0x6a, 0x22, 0x06, 0x20, 0x02, 0x49, 0x0d, 0x00, //     at += 8; again while at < width
  0x0b, //   end
  0x20, 0x04, 0x20, 0x05, 0x3d, 0x01, 0x00, //   16 bits of count to out
  0x20, 0x00, 0x20, 0x02, 0x6a, 0x21, 0x00, //   row += width
  0x20, 0x04, 0x41, 0x02, 0x6a, 0x21, 0x04, //   out += 2
  0x20, 0x01, 0x41, 0x01, 0x6b, 0x21, 0x01, //   rows -= 1
  0x0c, 0x00, 0x0b, 0x0b, 0x0b, //   again; end, end, end
];

/** The part of the WebAssembly API in use; no types of it come without those of a browser. */
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => WasmMemory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { readonly f: Differences } };
};

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** In pages of 64 KiB; makes a new `buffer`. */
  grow(pages: number): number;
}

/** Addresses and `width` in bytes. */
export type Differences = (row: number, rows: number, width: number, query: number, out: number) => void;

/** The function with a memory of its own. */
export function createHamming(): { readonly memory: WasmMemory; readonly differences: Differences } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(CODE)), { e: { m: memory } });
  return { memory, differences: exports.f };
}
