export type {
  CopyReport,
  DeriveImageOptions,
  DerivedImage,
  ImageOptions,
  InjectedFile,
  InjectedFileReport,
} from './types.ts';
export { checkImage, copyImage, deriveImage, extractFile, growImage, injectFiles, probeImageTools } from './image.ts';
