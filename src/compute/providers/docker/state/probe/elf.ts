/** A program of Linux as a file: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html */

const loadAddress = 0x400000;
/** The largest page that kernels of these machines have. */
const pageBytes = 0x10000;
const headerBytes = 64;
const segmentBytes = 56;
const segments = 2;
const codeOffset = headerBytes + segments * segmentBytes;

const readable = 4;
const writable = 2;
const executable = 1;

/** Its one segment is the code, which begins with its first instruction. `machine`: e_machine. */
export function elfFile(code: Buffer, machine: number): Buffer {
  const file = Buffer.alloc(codeOffset);
  // 64 bits, low byte first.
  Buffer.from('\u{7f}ELF\u{2}\u{1}\u{1}', 'latin1').copy(file);
  file.writeUInt16LE(2, 16); // e_type: it is run where it says
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20); // e_version
  file.writeBigUInt64LE(BigInt(loadAddress + codeOffset), 24); // e_entry
  file.writeBigUInt64LE(BigInt(headerBytes), 32); // e_phoff
  file.writeUInt16LE(headerBytes, 52);
  file.writeUInt16LE(segmentBytes, 54);
  file.writeUInt16LE(segments, 56);
  file.writeUInt16LE(64, 58); // e_shentsize, of which there are none
  const loaded = codeOffset + code.length;
  segment({ type: 1, flags: readable + executable, address: loadAddress, bytes: loaded }).copy(
    file,
    headerBytes,
  );
  // PT_GNU_STACK: without it, the stack could be run, which hardened hosts refuse.
  const stack = segment({ type: 0x6474e551, flags: readable + writable, address: 0, bytes: 0 });
  stack.copy(file, headerBytes + segmentBytes);
  return Buffer.concat([file, code]);
}

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly bytes: number;
}

function segment({ type, flags, address, bytes }: Segment): Buffer {
  const header = Buffer.alloc(segmentBytes);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(flags, 4);
  header.writeBigUInt64LE(BigInt(address), 16); // p_vaddr
  header.writeBigUInt64LE(BigInt(address), 24); // p_paddr
  header.writeBigUInt64LE(BigInt(bytes), 32); // p_filesz
  header.writeBigUInt64LE(BigInt(bytes), 40); // p_memsz
  header.writeBigUInt64LE(BigInt(pageBytes), 48); // p_align
  return header;
}
