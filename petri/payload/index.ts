export { image, type ImageOptions } from './image-payload.ts';
export { checkKernel, unpackKernel } from './linux-kernel.ts';
export { linux, linuxIsPrepared, type LinuxOptions, preparedLinux } from './linux-payload.ts';
export { prebuiltTmks, tmk, type TmkOptions } from './tmk-payload.ts';
