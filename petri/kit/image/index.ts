export { checkImage } from './check.ts';
export { copyImage } from './copy.ts';
export { createImage, type CreateImageOptions } from './create.ts';
export { deriveImage } from './derive.ts';
export { extractFile } from './extract.ts';
export { initramfs, type InitramfsEntry, type InitramfsOptions } from './initramfs.ts';
export { injectFiles, type InjectOptions } from './inject.ts';
export { growImage } from './space.ts';
export { probeImageTools } from './tools.ts';
export type {
  CopyReport,
  DeriveImageOptions,
  DerivedImage,
  ImageOptions,
  InjectedFile,
  InjectedFileReport,
} from './types.ts';
