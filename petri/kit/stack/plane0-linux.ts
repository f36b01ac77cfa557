import { linuxKernelStep } from './linux-kernel.ts';
import type { StackStep } from './step.ts';

/**
 * Builds Linux for plane 0: a realm guest, with a 9p file system and the VTL driver with which OpenVMM's tmk_vmm enters
 * planes.
 */
export function plane0KernelStep(
  folders: { readonly source: string; readonly objects: string; readonly target: string },
  compiler: string,
  jobs: number,
): StackStep {
  const kernel = {
    ...folders,
    name: 'plane0-kernel',
    title: 'Build Linux for plane 0',
    after: 'plane0-linux-source',
    enable: [
      ['VIRT_DRIVERS', 'ARM_CCA_GUEST'],
      ['NET_9P', 'NET_9P_FD', 'NET_9P_VIRTIO', '9P_FS'],
      ['HYPERV', 'HYPERV_MSHV', 'MSHV', 'MSHV_VTL', 'HYPERV_VTL_MODE'],
    ].flat(),
    indispensable: ['ARM_CCA_GUEST', 'NET_9P_VIRTIO', '9P_FS', 'MSHV_VTL'],
    remedy: 'plane 0 needs a kernel with these options: give one with --source plane0-linux=URL@REV',
  };
  return linuxKernelStep(kernel, compiler, jobs);
}
