/** The same direction with length 1, so that a product is a cosine; a zero vector stays as it is. */
export function unitVector(values: Float32Array): Float32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const length = Math.sqrt(squares);
  return length > 0 && Math.abs(length - 1) > 1e-6 ? values.map((value) => value / length) : values;
}

/** The cosine of two unit vectors of the same length. Called with these two types only: with others besides, it takes five times as long. */
export function cosine(a: Float32Array, b: Float16Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}

/** 16-bit floats, little-endian as every machine we run on is: half the file, and a cosine off by less than 0.001. */
export function writeVector(unit: Float32Array): Buffer {
  return Buffer.from(new Float16Array(unit).buffer);
}

export function readVector(bytes: Uint8Array): Float16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Float16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}
