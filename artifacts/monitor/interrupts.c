/*
 * The GICv2 of QEMU's virt machine, used for one thing: WFI ends when an interrupt is pending at the PE, taken or not. Between
 * sleeps the CPU interface is off, so nothing is ever signalled to the guest.
 */
#include "machine.h"

#define GICD 0x08000000ul
#define GICD_CTLR (GICD + 0x000)
#define GICD_ISENABLER(n) (GICD + 0x100 + 4 * (n))
#define GICD_ICENABLER(n) (GICD + 0x180 + 4 * (n))
#define GICD_ITARGETSR(n) (GICD + 0x800 + 4 * (n))
#define GICC 0x08010000ul
#define GICC_CTLR (GICC + 0x000)
#define GICC_PMR (GICC + 0x004)

/* INTIDs: the virtual and the physical timer of EL1, and the first virtio transport (SPI 16). */
#define PPI_TIMERS (1u << 27 | 1u << 30)
#define CHANNEL_INTID 48

void interrupts_init(void)
{
    mmio_write(GICD_ITARGETSR(CHANNEL_INTID / 4), 1u << 8 * (CHANNEL_INTID % 4));
    mmio_write(GICC_PMR, 0xff);
    mmio_write(GICD_CTLR, 1);
}

void sleep_for(enum wake source)
{
    unsigned bank = source == WAKE_CHANNEL ? CHANNEL_INTID / 32 : 0;
    uint32_t mask = source == WAKE_CHANNEL ? 1u << CHANNEL_INTID % 32 : PPI_TIMERS;
    mmio_write(GICD_ISENABLER(bank), mask);
    mmio_write(GICC_CTLR, 1);
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
    mmio_write(GICC_CTLR, 0);
    mmio_write(GICD_ICENABLER(bank), mask);
    __asm__ volatile("dsb sy" : : : "memory");
}
