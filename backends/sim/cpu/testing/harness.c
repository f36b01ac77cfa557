/*
 * Executes single instructions on whatever runs this program (real hardware, or qemu-aarch64): reads cases from standard
 * input, for each loads all registers, executes the instruction at the case's address, and writes all registers out.
 * The layouts are those of oracle.ts. Linked so that section .slot is at SLOT.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define SLOT 0x500000ul
#define SLOT_BYTES 0x2000ul
#define SCRATCH 0x580000ul
#define SCRATCH_BYTES 4096ul
#define CHANGED_MAX 64

struct registers {
  uint64_t x[31], sp, nzcv, fpcr, fpsr;
  uint8_t v[32][16];
};
struct input {
  uint64_t pc, word;
  struct registers registers;
};
struct output {
  uint64_t signal;
  struct registers registers;
  uint64_t changed_at, changed_bytes;
  uint8_t changed[CHANGED_MAX];
};

/* Read and written by the code below through absolute addresses. */
struct registers state;
uint64_t saved[16];
volatile int raised;

/* The first slot page is for the instruction; the second holds the branch to it. */
extern uint32_t enter_branch[];
extern char leave[];
void execute(void);

asm(".section .slot, \"awx\", %progbits\n"
    ".skip 4096\n"
    ".globl execute\n"
    "execute:\n"
    "  adrp x0, saved\n"
    "  add x0, x0, :lo12:saved\n"
    "  stp x19, x20, [x0]\n"
    "  stp x21, x22, [x0, 16]\n"
    "  stp x23, x24, [x0, 32]\n"
    "  stp x25, x26, [x0, 48]\n"
    "  stp x27, x28, [x0, 64]\n"
    "  stp x29, x30, [x0, 80]\n"
    "  mov x1, sp\n"
    "  mrs x2, tpidr_el0\n"
    "  stp x1, x2, [x0, 96]\n"
    "  adrp x0, state\n"
    "  add x0, x0, :lo12:state\n"
    "  ldp x1, x2, [x0, 248]\n" /* sp, nzcv */
    "  mov sp, x1\n"
    "  msr nzcv, x2\n"
    "  ldp x1, x2, [x0, 264]\n" /* fpcr, fpsr */
    "  msr fpcr, x1\n"
    "  msr fpsr, x2\n"
    "  add x1, x0, 280\n"
    "  ldp q0, q1, [x1]\n"
    "  ldp q2, q3, [x1, 32]\n"
    "  ldp q4, q5, [x1, 64]\n"
    "  ldp q6, q7, [x1, 96]\n"
    "  ldp q8, q9, [x1, 128]\n"
    "  ldp q10, q11, [x1, 160]\n"
    "  ldp q12, q13, [x1, 192]\n"
    "  ldp q14, q15, [x1, 224]\n"
    "  ldp q16, q17, [x1, 256]\n"
    "  ldp q18, q19, [x1, 288]\n"
    "  ldp q20, q21, [x1, 320]\n"
    "  ldp q22, q23, [x1, 352]\n"
    "  ldp q24, q25, [x1, 384]\n"
    "  ldp q26, q27, [x1, 416]\n"
    "  ldp q28, q29, [x1, 448]\n"
    "  ldp q30, q31, [x1, 480]\n"
    "  ldp x2, x3, [x0, 16]\n"
    "  ldp x4, x5, [x0, 32]\n"
    "  ldp x6, x7, [x0, 48]\n"
    "  ldp x8, x9, [x0, 64]\n"
    "  ldp x10, x11, [x0, 80]\n"
    "  ldp x12, x13, [x0, 96]\n"
    "  ldp x14, x15, [x0, 112]\n"
    "  ldp x16, x17, [x0, 128]\n"
    "  ldp x18, x19, [x0, 144]\n"
    "  ldp x20, x21, [x0, 160]\n"
    "  ldp x22, x23, [x0, 176]\n"
    "  ldp x24, x25, [x0, 192]\n"
    "  ldp x26, x27, [x0, 208]\n"
    "  ldp x28, x29, [x0, 224]\n"
    "  ldr x30, [x0, 240]\n"
    "  ldp x0, x1, [x0]\n"
    "  clrex\n"
    ".globl enter_branch\n"
    "enter_branch:\n"
    "  nop\n"
    ".globl leave\n"
    "leave:\n"
    /* The thread pointer keeps X0 while X0 becomes the base. */
    "  msr tpidr_el0, x0\n"
    "  adrp x0, state\n"
    "  add x0, x0, :lo12:state\n"
    "  stp x2, x3, [x0, 16]\n"
    "  stp x4, x5, [x0, 32]\n"
    "  stp x6, x7, [x0, 48]\n"
    "  stp x8, x9, [x0, 64]\n"
    "  stp x10, x11, [x0, 80]\n"
    "  stp x12, x13, [x0, 96]\n"
    "  stp x14, x15, [x0, 112]\n"
    "  stp x16, x17, [x0, 128]\n"
    "  stp x18, x19, [x0, 144]\n"
    "  stp x20, x21, [x0, 160]\n"
    "  stp x22, x23, [x0, 176]\n"
    "  stp x24, x25, [x0, 192]\n"
    "  stp x26, x27, [x0, 208]\n"
    "  stp x28, x29, [x0, 224]\n"
    "  mrs x2, tpidr_el0\n"
    "  stp x2, x1, [x0]\n"
    "  mov x1, sp\n"
    "  stp x30, x1, [x0, 240]\n"
    "  mrs x1, nzcv\n"
    "  mrs x2, fpcr\n"
    "  stp x1, x2, [x0, 256]\n"
    "  mrs x1, fpsr\n"
    "  str x1, [x0, 272]\n"
    "  add x1, x0, 280\n"
    "  stp q0, q1, [x1]\n"
    "  stp q2, q3, [x1, 32]\n"
    "  stp q4, q5, [x1, 64]\n"
    "  stp q6, q7, [x1, 96]\n"
    "  stp q8, q9, [x1, 128]\n"
    "  stp q10, q11, [x1, 160]\n"
    "  stp q12, q13, [x1, 192]\n"
    "  stp q14, q15, [x1, 224]\n"
    "  stp q16, q17, [x1, 256]\n"
    "  stp q18, q19, [x1, 288]\n"
    "  stp q20, q21, [x1, 320]\n"
    "  stp q22, q23, [x1, 352]\n"
    "  stp q24, q25, [x1, 384]\n"
    "  stp q26, q27, [x1, 416]\n"
    "  stp q28, q29, [x1, 448]\n"
    "  stp q30, q31, [x1, 480]\n"
    "  msr fpcr, xzr\n"
    "  adrp x0, saved\n"
    "  add x0, x0, :lo12:saved\n"
    "  ldp x19, x20, [x0]\n"
    "  ldp x21, x22, [x0, 16]\n"
    "  ldp x23, x24, [x0, 32]\n"
    "  ldp x25, x26, [x0, 48]\n"
    "  ldp x27, x28, [x0, 64]\n"
    "  ldp x29, x30, [x0, 80]\n"
    "  ldp x1, x2, [x0, 96]\n"
    "  mov sp, x1\n"
    "  msr tpidr_el0, x2\n"
    "  ret\n"
    ".previous\n");

/* Goes on where the registers are stored; touches nothing that needs the thread pointer. */
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)info;
  raised = number;
  ((ucontext_t *)context)->uc_mcontext.pc = (uint64_t)leave;
}

static int read_all(void *to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t got = read(0, (char *)to + done, bytes - done);
    if (got <= 0) return 0;
    done += (size_t)got;
  }
  return 1;
}

static void write_all(const void *from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t put = write(1, (const char *)from + done, bytes - done);
    if (put <= 0) _exit(2);
    done += (size_t)put;
  }
}

static uint32_t branch(uint64_t from, uint64_t to) {
  return 0x14000000u | (uint32_t)(((int64_t)(to - from) >> 2) & 0x3ffffff);
}

static uint8_t pattern[SCRATCH_BYTES];

int main(void) {
  static uint8_t alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);

  mprotect((void *)SLOT, SLOT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);
  uint8_t *scratch = mmap((void *)SCRATCH, SCRATCH_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (scratch == MAP_FAILED || !read_all(pattern, sizeof pattern)) return 1;

  static struct input input;
  static struct output output;
  while (read_all(&input, sizeof input)) {
    memcpy(scratch, pattern, sizeof pattern);
    uint32_t *slot = (uint32_t *)input.pc;
    slot[0] = (uint32_t)input.word;
    slot[1] = branch(input.pc + 4, (uint64_t)leave);
    enter_branch[0] = branch((uint64_t)enter_branch, input.pc);
    __builtin___clear_cache((char *)SLOT, (char *)SLOT + SLOT_BYTES);
    state = input.registers;
    raised = 0;
    execute();
    output.signal = (uint64_t)raised;
    output.registers = state;
    uint64_t first = 0, last = SCRATCH_BYTES;
    while (first < last && scratch[first] == pattern[first]) first++;
    while (last > first && scratch[last - 1] == pattern[last - 1]) last--;
    output.changed_at = first;
    output.changed_bytes = last - first;
    memset(output.changed, 0, sizeof output.changed);
    memcpy(output.changed, scratch + first, last - first > CHANGED_MAX ? CHANGED_MAX : last - first);
    write_all(&output, sizeof output);
  }
  return 0;
}
