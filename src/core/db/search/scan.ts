/** Operation codes of WebAssembly 1.0 (webassembly.github.io/spec, 5.4), as far as they are used here. */
const op = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32LtU: 0x49,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Shl: 0x74,
  i64Const: 0x42,
  i64Load: [0x29, 0x03],
  i64Store32: [0x3e, 0x02, 0x00],
  i64And: 0x83,
  i64Popcnt: 0x7b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Shl: 0x86,
  i64ExtendU: 0xad,
} as const;

/** Parameters, then locals. */
const [row, rows, width, query, out, bias, cost, at, bits, planes] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** `± popcnt(bits & plane) << shift`, where the plane's 64 bits stand `8 * shift` bytes after `planes`. */
const weigh = (shift: number, sign: number) => [
  op.get,
  bits,
  op.get,
  planes,
  ...op.i64Load,
  8 * shift,
  op.i64And,
  op.i64Popcnt,
  op.i64Const,
  shift,
  op.i64Shl,
  sign,
];

const BODY = [
  0x04,
  0x01,
  0x7e,
  0x01,
  0x7f,
  0x01,
  0x7e,
  0x01,
  0x7f, // locals: cost i64, at i32, bits i64, planes i32
  ...op.block,
  ...op.loop,
  op.get,
  rows,
  op.i32Eqz,
  op.brIf,
  1, //                                         while rows
  op.get,
  bias,
  op.i64ExtendU,
  op.set,
  cost,
  op.i32Const,
  0,
  op.set,
  at, //         cost = bias; at = 0
  ...op.loop,
  op.get,
  row,
  op.get,
  at,
  op.i32Add,
  ...op.i64Load,
  0,
  op.set,
  bits, //              bits = 64 of the row
  op.get,
  query,
  op.get,
  at,
  op.i32Const,
  2,
  op.i32Shl,
  op.i32Add,
  op.set,
  planes, // planes = query + 4 * at
  op.get,
  cost,
  ...weigh(0, op.i64Sub),
  ...weigh(1, op.i64Sub),
  ...weigh(2, op.i64Sub),
  ...weigh(3, op.i64Add),
  op.set,
  cost,
  op.get,
  at,
  op.i32Const,
  8,
  op.i32Add,
  op.tee,
  at,
  op.get,
  width,
  op.i32LtU,
  op.brIf,
  0, // while (at += 8) < width
  op.end,
  op.get,
  out,
  op.get,
  cost,
  ...op.i64Store32, //                                   *out = cost
  op.get,
  row,
  op.get,
  width,
  op.i32Add,
  op.set,
  row, //                            next row
  op.get,
  out,
  op.i32Const,
  4,
  op.i32Add,
  op.set,
  out,
  op.get,
  rows,
  op.i32Const,
  1,
  op.i32Sub,
  op.set,
  rows,
  op.br,
  0,
  op.end,
  op.end,
  op.end,
];

/** Sections: type, import of a memory `e.m`, function, export `f`, code. A body this short has a length of two bytes (LEB128). */
const leb = (value: number) => [(value & 0x7f) | 0x80, value >> 7];
const MODULE = [
  0x00,
  0x61,
  0x73,
  0x6d,
  0x01,
  0x00,
  0x00,
  0x00,
  0x01,
  0x0a,
  0x01,
  0x60,
  0x06,
  0x7f,
  0x7f,
  0x7f,
  0x7f,
  0x7f,
  0x7f,
  0x00,
  0x02,
  0x08,
  0x01,
  0x01,
  0x65,
  0x01,
  0x6d,
  0x02,
  0x00,
  0x01,
  0x03,
  0x02,
  0x01,
  0x00,
  0x07,
  0x05,
  0x01,
  0x01,
  0x66,
  0x00,
  0x00,
  0x0a,
  ...leb(BODY.length + 3),
  0x01,
  ...leb(BODY.length),
  ...BODY,
];

/** The part of the WebAssembly API in use; no types of it come without those of a browser. */
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => WasmMemory;
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { readonly f: Scan } };
};

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  /** In pages of 64 KiB; makes a new `buffer`. */
  grow(pages: number): number;
}

/**
 * For each of `rows` rows of `width` bytes (a multiple of 8) at `row` writes 32 bits to `out`: the bias less the query's
 * values where the row has a bit. The query is four bits a value, by planes: 8 bytes of each in turn, lowest first, and
 * the highest counts -8. All are addresses or counts.
 */
export type Scan = (row: number, rows: number, width: number, query: number, out: number, bias: number) => void;

/**
 * The scan with a memory of its own. It is WebAssembly for one instruction that JavaScript cannot reach: the processor
 * counts the bits of a word at once, and that is all the time a scan takes.
 */
export function createScan(): { readonly memory: WasmMemory; readonly scan: Scan } {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(MODULE)), { e: { m: memory } });
  return { memory, scan: exports.f };
}
