/* Arithmetic, logic and control flow of general-purpose registers, instruction by instruction. */
#pragma GCC target("arch=armv8-a+crc")
#include "integer-state.h"

/* Zero and one, extremes of each width, alternating bits, and numbers with nothing special about them. */
static const uint64_t operands[16] = {
    0,
    1,
    2,
    0x7f,
    0x8000,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x100000000,
    0x5555555555555555,
    0xaaaaaaaaaaaaaaaa,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffffff,
    0x0123456789abcdef,
    0xc3a5c85c97cb3127,
};

static uint64_t digest_of(const void *code)
{
    uint64_t digest = DIGEST_START;
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned j = 0; j < 16; j++) {
            struct integer_state state = {
                .x = { operands[(i + 5 * j) & 15], operands[i], operands[j], operands[(7 * i + 3 * j) & 15] },
                .nzcv = (uint64_t)((5 * i + j) & 15) << 28,
            };
            run_integer(code, &state);
            for (unsigned n = 0; n < 8; n++)
                digest = fold(digest, state.x[n]);
            digest = fold(digest, state.nzcv);
        }
    }
    return digest;
}

#define RUN_FORM(code) digest_of(code)

TMK_TEST(add_and_subtract, 0)
{
    FORM("add x0, x1, x2", 0x016527610e19bf03);
    FORM("adds x0, x1, x2", 0x1c9503a9a126c1a7);
    FORM("sub x0, x1, x2", 0xb26780cc5d97ecc5);
    FORM("subs x0, x1, x2", 0xf7135449eef38956);
    FORM("adc x0, x1, x2", 0x77ab945ed92d9fe9);
    FORM("adcs x0, x1, x2", 0x671e12a5865ebfeb);
    FORM("sbc x0, x1, x2", 0xdc47707ac92b05bd);
    FORM("sbcs x0, x1, x2", 0xff92ed3e8ab53ef2);
    FORM("add x0, x1, #0x123", 0xd8690abc48b7296d);
    FORM("add x0, x1, #0xfff, lsl #12", 0x7d8a7931e907c3f4);
    FORM("sub x0, x1, #0x123", 0x8a3731836a073430);
    FORM("sub x0, x1, #0xfff, lsl #12", 0xe54a41a9352e5e3c);
    FORM("adds x0, x1, #0x123", 0xcc5e26d2d7124247);
    FORM("adds x0, x1, #0xfff, lsl #12", 0x10f1ee6959c12a25);
    FORM("subs x0, x1, #0x123", 0x0b5a0c3f52a72a98);
    FORM("subs x0, x1, #0xfff, lsl #12", 0x3b75c24dabbb343c);
    FORM("add x0, x1, x2, lsl #3", 0xda85c86b3962e8f1);
    FORM("adds x0, x1, x2, lsr #7", 0x3032e5533223bfd3);
    FORM("sub x0, x1, x2, asr #13", 0xbb04ba021feb3fa6);
    FORM("subs x0, x1, x2, lsl #31", 0xcbac3cc4498ac809);
    FORM("add x0, x1, x2, asr #31", 0x7d8020f0c2bf4956);
    FORM("subs x0, x1, x2, lsr #1", 0xbe1da1a758d6e227);
    FORM("neg x0, x1", 0x4cc382da3367c53d);
    FORM("negs x0, x2", 0xd718cd00c279aca8);
    FORM("ngc x0, x1", 0x3e13e9c23f31ea75);
    FORM("ngcs x0, x1", 0x246696fd2fd9201d);
    FORM("cmp x1, x2", 0x0f3b0309d5aa7f18);
    FORM("cmn x1, x2", 0x580d896dd6ee589f);
    FORM("cmp x1, #7", 0x5169b231cc66e091);
    FORM("cmn x1, #7, lsl #12", 0x99fb952aacf2a752);
    FORM("add x0, x1, w2, uxtb #2", 0x43f72231dae8351a);
    FORM("subs x0, x1, w2, uxtb", 0x56dc89e6b60e4183);
    FORM("add x0, x1, w2, uxth #2", 0x940d702d46ca04a9);
    FORM("subs x0, x1, w2, uxth", 0xa820c7b2ab332cf2);
    FORM("add x0, x1, w2, uxtw #2", 0x1c8dac922e5c9330);
    FORM("subs x0, x1, w2, uxtw", 0x3bc478fb15d1bf08);
    FORM("add x0, x1, w2, sxtb #2", 0xc1f6b8637e6f24c0);
    FORM("subs x0, x1, w2, sxtb", 0x2cf76e02de2a34d6);
    FORM("add x0, x1, w2, sxth #2", 0x963d53abcfaaa947);
    FORM("subs x0, x1, w2, sxth", 0x97b8d59eb79b4fb5);
    FORM("add x0, x1, w2, sxtw #2", 0xd81988e1c0f7721c);
    FORM("subs x0, x1, w2, sxtw", 0xc55f65b90632c5a1);
    FORM("add w0, w1, w2", 0x87c720a0c693bdce);
    FORM("adds w0, w1, w2", 0x1c77c016c4d5d06e);
    FORM("sub w0, w1, w2", 0x1d21bfe2cb7de2a1);
    FORM("subs w0, w1, w2", 0x42555b49d5902a90);
    FORM("adc w0, w1, w2", 0x48ec54cc1b8db62d);
    FORM("adcs w0, w1, w2", 0x5fd60bb3dcfe7f9a);
    FORM("sbc w0, w1, w2", 0x0a0e1ca5eceead98);
    FORM("sbcs w0, w1, w2", 0xb28751500a05bdb9);
    FORM("add w0, w1, #0x123", 0xe4536844dee12b88);
    FORM("add w0, w1, #0xfff, lsl #12", 0x72f238ce9447a3c7);
    FORM("sub w0, w1, #0x123", 0xaa33ec300cddd44b);
    FORM("sub w0, w1, #0xfff, lsl #12", 0xf14e6441c5149d60);
    FORM("adds w0, w1, #0x123", 0x9897126700dc27df);
    FORM("adds w0, w1, #0xfff, lsl #12", 0x782d33f93d576d86);
    FORM("subs w0, w1, #0x123", 0xfbcd764a72849528);
    FORM("subs w0, w1, #0xfff, lsl #12", 0xe71ef3f34e7ec29a);
    FORM("add w0, w1, w2, lsl #3", 0xb2d4a12f8b19aebc);
    FORM("adds w0, w1, w2, lsr #7", 0x83c15b822714a3c4);
    FORM("sub w0, w1, w2, asr #13", 0x8ea882aa67f44c4d);
    FORM("subs w0, w1, w2, lsl #31", 0x7204f2dfb15d0895);
    FORM("add w0, w1, w2, asr #31", 0xf56337fccceee71b);
    FORM("subs w0, w1, w2, lsr #1", 0x70a48670adf22cb8);
    FORM("neg w0, w1", 0x56ebf7ed9f2157f3);
    FORM("negs w0, w2", 0x1b316b5f4b81307c);
    FORM("ngc w0, w1", 0x3dff5510e589a712);
    FORM("ngcs w0, w1", 0x0fb686610991ba3d);
    FORM("cmp w1, w2", 0xc461153162c4e94e);
    FORM("cmn w1, w2", 0x9a376c3cf558b679);
    FORM("cmp w1, #7", 0x6673dfb2ac76ecf0);
    FORM("cmn w1, #7, lsl #12", 0x939d88bcc18c983f);
    FORM("add w0, w1, w2, uxtb #2", 0x10feb2b1d34c94af);
    FORM("subs w0, w1, w2, uxtb", 0x3e586dc6dbde11f5);
    FORM("add w0, w1, w2, uxth #2", 0x4e8f115e8e4b4591);
    FORM("subs w0, w1, w2, uxth", 0x0341f1e6e8d69349);
    FORM("add w0, w1, w2, uxtw #2", 0x7c642713bd343286);
    FORM("subs w0, w1, w2, uxtw", 0x42555b49d5902a90);
    FORM("add w0, w1, w2, sxtb #2", 0x17a43fb072005559);
    FORM("subs w0, w1, w2, sxtb", 0x7c816d5676fcb617);
    FORM("add w0, w1, w2, sxth #2", 0x2b5afb3cf8b1cf42);
    FORM("subs w0, w1, w2, sxth", 0xa8a4ae12c093a2e5);
    FORM("add w0, w1, w2, sxtw #2", 0x7c642713bd343286);
    FORM("subs w0, w1, w2, sxtw", 0x42555b49d5902a90);
    FORM("add x0, x1, x2, uxtx #4", 0xb45de98c099e94d8);
    FORM("sub x0, x1, x2, sxtx #1", 0x1ff671305cddbbf9);
    FORM("adds x0, x1, x2, sxtx #3", 0x25628833e73c64a7);
    FORM("add x0, x1, x2, lsl #63", 0x6ae3bfe302beda34);
    FORM("subs x0, x1, x2, asr #63", 0x503de60d2905f079);
    forms_end();
}

TMK_TEST(logic_and_moves, 0)
{
    FORM("and x0, x1, x2", 0x8c62b3c37a3bf36b);
    FORM("and x0, x1, x2, ror #11", 0xc212dc930e706653);
    FORM("and x0, x1, x2, asr #5", 0x312165c5cfb48819);
    FORM("orr x0, x1, x2", 0x93c583ad24efc83c);
    FORM("orr x0, x1, x2, ror #11", 0x5517c1a07cae5e83);
    FORM("orr x0, x1, x2, asr #5", 0xe39cea8bdcfa8911);
    FORM("eor x0, x1, x2", 0x5b7ec34c9d9de7b8);
    FORM("eor x0, x1, x2, ror #11", 0xfaa7ea039a9ad592);
    FORM("eor x0, x1, x2, asr #5", 0xbf19c5d28877f80a);
    FORM("ands x0, x1, x2", 0x959b24e858c55d35);
    FORM("ands x0, x1, x2, ror #11", 0xac206331f142c47b);
    FORM("ands x0, x1, x2, asr #5", 0xbf85ea0901a5b23e);
    FORM("bic x0, x1, x2", 0x33ebb096fa3439e5);
    FORM("bic x0, x1, x2, ror #11", 0x487a2bcbeb30a1a2);
    FORM("bic x0, x1, x2, asr #5", 0x0e66f7f2b2450846);
    FORM("orn x0, x1, x2", 0x3497b51b16a0e8e3);
    FORM("orn x0, x1, x2, ror #11", 0x3db7c3286d083488);
    FORM("orn x0, x1, x2, asr #5", 0x1e03ff4db39b8708);
    FORM("eon x0, x1, x2", 0x7d124385de8857b7);
    FORM("eon x0, x1, x2, ror #11", 0x4507f8e7b6a23679);
    FORM("eon x0, x1, x2, asr #5", 0xe2d94658f8c48274);
    FORM("bics x0, x1, x2", 0x2a33633ab84596f8);
    FORM("bics x0, x1, x2, ror #11", 0x6109e55a5d8b7c17);
    FORM("bics x0, x1, x2, asr #5", 0x69ca272d380545da);
    FORM("and x0, x1, #0xff", 0xcac3a8af303f4b41);
    FORM("and x0, x1, #0x5555555555555555", 0x5d52af06c2bee683);
    FORM("and x0, x1, #0x8000000000000001", 0x81388ed77c51ff4d);
    FORM("and x0, x1, #0xffff0000ffff0000", 0x119569f5c74bfc5c);
    FORM("and x0, x1, #0x7ffffffffffffffe", 0x5b23612e99788ace);
    FORM("and x0, x1, #0x0f0f0f0f0f0f0f0f", 0x57845920a7c43573);
    FORM("orr x0, x1, #0xff", 0xcb6166c4e0308583);
    FORM("orr x0, x1, #0x5555555555555555", 0x2bb991adf60f66a8);
    FORM("orr x0, x1, #0x8000000000000001", 0x80940f69c9bd01c5);
    FORM("eor x0, x1, #0xff", 0x22852f898a3073d5);
    FORM("eor x0, x1, #0x5555555555555555", 0xe5badc4197798ef1);
    FORM("eor x0, x1, #0x8000000000000001", 0x08b945cca36f48e9);
    FORM("ands x0, x1, #0xff", 0x491a2468c2a1a02b);
    FORM("ands x0, x1, #0x5555555555555555", 0x61fbadba4b6c9d47);
    FORM("ands x0, x1, #0x8000000000000001", 0xa8293f3d0910e27a);
    FORM("mvn x0, x1", 0x2468d210a527b61a);
    FORM("mvn x0, x1, lsl #9", 0xa0cac64f8ed7c9af);
    FORM("tst x1, x2", 0x578397c76befa5f0);
    FORM("tst x1, #1", 0xf4e8a68d621a73bb);
    FORM("mov x0, x1", 0x91133a123064937a);
    FORM("movz x0, #0x1234", 0x1c99e5706186e638);
    FORM("movz x0, #0x1234, lsl #16", 0xa1f174b801d9e416);
    FORM("movn x0, #0x1234", 0x408261897c0fae50);
    FORM("movn x0, #0xffff, lsl #16", 0x2e9f8f880b9603d2);
    FORM("movk x0, #0xabcd", 0xf071514c1d00c63c);
    FORM("movk x0, #0xabcd, lsl #16", 0xd58388115048accc);
    FORM("and w0, w1, w2", 0x2613b2d57c5eebf6);
    FORM("and w0, w1, w2, ror #11", 0x30e329365a60e102);
    FORM("and w0, w1, w2, asr #5", 0x996d3f5f3863980a);
    FORM("orr w0, w1, w2", 0xeec963bbb3522058);
    FORM("orr w0, w1, w2, ror #11", 0x8c1b8236626c4695);
    FORM("orr w0, w1, w2, asr #5", 0x20e593f729cab373);
    FORM("eor w0, w1, w2", 0x494fb5ee27663778);
    FORM("eor w0, w1, w2, ror #11", 0x4916e93315065d73);
    FORM("eor w0, w1, w2, asr #5", 0x26d7ad7ab7609d9d);
    FORM("ands w0, w1, w2", 0xf76722781e8c0676);
    FORM("ands w0, w1, w2, ror #11", 0x51f4ee2531da4817);
    FORM("ands w0, w1, w2, asr #5", 0x64b8483f141fabbf);
    FORM("bic w0, w1, w2", 0x66684054224466d9);
    FORM("bic w0, w1, w2, ror #11", 0xb69d7e4869e8a94a);
    FORM("bic w0, w1, w2, asr #5", 0x061a5e4efae020ef);
    FORM("orn w0, w1, w2", 0x41c4b048644e9d2a);
    FORM("orn w0, w1, w2, ror #11", 0xb4ab2ad9593560c1);
    FORM("orn w0, w1, w2, asr #5", 0xaa32a47803acc05d);
    FORM("eon w0, w1, w2", 0xbafc398c26210ce5);
    FORM("eon w0, w1, w2, ror #11", 0xe3e169987575c734);
    FORM("eon w0, w1, w2, asr #5", 0xce4a8c6bf37178b5);
    FORM("bics w0, w1, w2", 0x0eafaebe8c92b6ae);
    FORM("bics w0, w1, w2, ror #11", 0x9cb9c90137dab299);
    FORM("bics w0, w1, w2, asr #5", 0x0ee726f5bcd0384a);
    FORM("and w0, w1, #0xff", 0xcac3a8af303f4b41);
    FORM("and w0, w1, #0x55555555", 0x1a7a9181ed39fd29);
    FORM("and w0, w1, #0x80000001", 0x15e5f9f26c679c0b);
    FORM("and w0, w1, #0xffff0000", 0x73e3d5d8f4104d52);
    FORM("and w0, w1, #0x7ffffffe", 0x0acffa02344a141f);
    FORM("and w0, w1, #0xe0e0e0e0", 0x3c5a989b2dd915c5);
    FORM("orr w0, w1, #0xff", 0x0bb03f71359be1a3);
    FORM("orr w0, w1, #0x55555555", 0x3f9a1e0532294cf0);
    FORM("orr w0, w1, #0x80000001", 0xe5a73cf4c53f69a5);
    FORM("eor w0, w1, #0xff", 0x504d17e4295bb424);
    FORM("eor w0, w1, #0x55555555", 0xb1e56ebdec0ba866);
    FORM("eor w0, w1, #0x80000001", 0x72e8b22ce6d9064b);
    FORM("ands w0, w1, #0xff", 0x491a2468c2a1a02b);
    FORM("ands w0, w1, #0x55555555", 0x164cf3a8d236b991);
    FORM("ands w0, w1, #0x80000001", 0xbaa0b40e7a1c81ff);
    FORM("mvn w0, w1", 0x1f873764bb65d95c);
    FORM("mvn w0, w1, lsl #9", 0x3aad3089972f6818);
    FORM("tst w1, w2", 0x9cd9b8e16cdde45a);
    FORM("tst w1, #1", 0xf4e8a68d621a73bb);
    FORM("mov w0, w1", 0x74e2f5f09061a14d);
    FORM("movz w0, #0x1234", 0x1c99e5706186e638);
    FORM("movz w0, #0x1234, lsl #16", 0xa1f174b801d9e416);
    FORM("movn w0, #0x1234", 0x3270af3e5d0376f5);
    FORM("movn w0, #0xffff, lsl #16", 0x9fc4fbdb364758eb);
    FORM("movk w0, #0xabcd", 0x641b689be8d8b7b1);
    FORM("movk w0, #0xabcd, lsl #16", 0x105a06055ef4666f);
    FORM("movz x0, #0x1234, lsl #48", 0x5923372abe139d02);
    FORM("movn x0, #0x8000, lsl #32", 0xe68e8128d7a58794);
    FORM("movk x0, #0xabcd, lsl #32", 0xc508f5239e656280);
    FORM("movk x0, #0xabcd, lsl #48", 0x726893c7b4f16e91);
    forms_end();
}

TMK_TEST(shifts_and_bitfields, 0)
{
    FORM("lsl x0, x1, x2", 0x90be2f1246dac561);
    FORM("lsl x0, x1, #0", 0x91133a123064937a);
    FORM("lsl x0, x1, #1", 0x67aea22f99c68304);
    FORM("lsl x0, x1, #31", 0x2bc283a03e5d5752);
    FORM("lsl x0, x1, #63", 0xcc3a596cf8b33560);
    FORM("lsr x0, x1, x2", 0xe4d58e06d49e5a90);
    FORM("lsr x0, x1, #0", 0x91133a123064937a);
    FORM("lsr x0, x1, #1", 0x4bc4ee6422e8c061);
    FORM("lsr x0, x1, #31", 0x2081de6bd1c2e7fd);
    FORM("lsr x0, x1, #63", 0x4ee827052f60a409);
    FORM("asr x0, x1, x2", 0x4fc27c01a3c5a5ee);
    FORM("asr x0, x1, #0", 0x91133a123064937a);
    FORM("asr x0, x1, #1", 0x6d70ed019cc6945a);
    FORM("asr x0, x1, #31", 0x38f9c16aa057d28d);
    FORM("asr x0, x1, #63", 0x330d864a3227d827);
    FORM("ror x0, x1, x2", 0x2b6646cef070084d);
    FORM("ror x0, x1, #0", 0x91133a123064937a);
    FORM("ror x0, x1, #1", 0xfa4c79bbcc9fa354);
    FORM("ror x0, x1, #31", 0x183d240421e59d61);
    FORM("ror x0, x1, #63", 0x26887cad8f66df1d);
    FORM("extr x0, x1, x2, #1", 0x58298fd48a1305c0);
    FORM("extr x0, x1, x2, #63", 0x015175cd42b26f1f);
    FORM("extr x0, x1, x2, #0", 0x486b469673a7a2a1);
    FORM("ubfx x0, x1, #0, #1", 0xaf645cb3080ba072);
    FORM("ubfx x0, x1, #3, #8", 0x19a47af8ba6403b4);
    FORM("ubfx x0, x1, #32, #32", 0xccb98ab1d6fb4a9c);
    FORM("ubfx x0, x1, #63, #1", 0x4ee827052f60a409);
    FORM("ubfx x0, x1, #0, #64", 0x91133a123064937a);
    FORM("sbfx x0, x1, #0, #1", 0x39bac6af7b334871);
    FORM("sbfx x0, x1, #3, #8", 0x0b54ce92eb65d16c);
    FORM("sbfx x0, x1, #32, #32", 0x941363dfae882203);
    FORM("sbfx x0, x1, #63, #1", 0x330d864a3227d827);
    FORM("sbfx x0, x1, #0, #64", 0x91133a123064937a);
    FORM("bfxil x0, x1, #0, #1", 0x2ba1e5ebbc72424c);
    FORM("bfxil x0, x1, #3, #8", 0x19d9e2f70e830a33);
    FORM("bfxil x0, x1, #32, #32", 0xf3a0fbcbca3341af);
    FORM("bfxil x0, x1, #63, #1", 0xd64a5f8588772ad4);
    FORM("bfxil x0, x1, #0, #64", 0x91133a123064937a);
    FORM("ubfiz x0, x1, #0, #1", 0xaf645cb3080ba072);
    FORM("ubfiz x0, x1, #3, #8", 0xa993cedc21ebb35a);
    FORM("ubfiz x0, x1, #32, #32", 0x5ad7a2436864d657);
    FORM("ubfiz x0, x1, #63, #1", 0xcc3a596cf8b33560);
    FORM("ubfiz x0, x1, #0, #64", 0x91133a123064937a);
    FORM("sbfiz x0, x1, #0, #1", 0x39bac6af7b334871);
    FORM("sbfiz x0, x1, #3, #8", 0x778982e049aa72d9);
    FORM("sbfiz x0, x1, #32, #32", 0x5ad7a2436864d657);
    FORM("sbfiz x0, x1, #63, #1", 0xcc3a596cf8b33560);
    FORM("sbfiz x0, x1, #0, #64", 0x91133a123064937a);
    FORM("bfi x0, x1, #0, #1", 0x2ba1e5ebbc72424c);
    FORM("bfi x0, x1, #3, #8", 0x77d288f96b8f39c9);
    FORM("bfi x0, x1, #32, #32", 0xef75053912cf7540);
    FORM("bfi x0, x1, #63, #1", 0xbb685177a148fa57);
    FORM("bfi x0, x1, #0, #64", 0x91133a123064937a);
    FORM("sxtb x0, w1", 0x04fc080007cce0c5);
    FORM("sxth x0, w1", 0x490cdc402dffeedc);
    FORM("rbit x0, x1", 0x7cff81b475a95fe5);
    FORM("rev16 x0, x1", 0x6446fc6c3abd664b);
    FORM("rev x0, x1", 0x91e0d21932770727);
    FORM("clz x0, x1", 0xc6e662f7a9655fcb);
    FORM("cls x0, x1", 0x3e432d0e1770cfa3);
    FORM("lsl w0, w1, w2", 0x02b271f39e5a3185);
    FORM("lsl w0, w1, #0", 0x74e2f5f09061a14d);
    FORM("lsl w0, w1, #1", 0xc0df27e67a12cf7f);
    FORM("lsl w0, w1, #15", 0xcb212e79258fbd70);
    FORM("lsl w0, w1, #31", 0xedd8df71ffaae9a1);
    FORM("lsr w0, w1, w2", 0x0f4763d0dad4f354);
    FORM("lsr w0, w1, #0", 0x74e2f5f09061a14d);
    FORM("lsr w0, w1, #1", 0x28057dc516a756a2);
    FORM("lsr w0, w1, #15", 0xa10b21e6e86dc4dc);
    FORM("lsr w0, w1, #31", 0x3e41bbe1f4f798a0);
    FORM("asr w0, w1, w2", 0x89bbe8d01301657e);
    FORM("asr w0, w1, #0", 0x74e2f5f09061a14d);
    FORM("asr w0, w1, #1", 0x378827e2574e731c);
    FORM("asr w0, w1, #15", 0x91ed8c78d5eeb350);
    FORM("asr w0, w1, #31", 0xfc102c5613c07437);
    FORM("ror w0, w1, w2", 0x77475f4f6ac5c76a);
    FORM("ror w0, w1, #0", 0x74e2f5f09061a14d);
    FORM("ror w0, w1, #1", 0x37314d7d1ab337a7);
    FORM("ror w0, w1, #15", 0x8fb049d946f7b5b1);
    FORM("ror w0, w1, #31", 0x581664f0279f5332);
    FORM("extr w0, w1, w2, #1", 0x1a8ad1eee2f4024a);
    FORM("extr w0, w1, w2, #31", 0x0f2b0c02f5b9c813);
    FORM("extr w0, w1, w2, #0", 0x37763e06f6bb45f1);
    FORM("ubfx w0, w1, #0, #1", 0xaf645cb3080ba072);
    FORM("ubfx w0, w1, #3, #8", 0x19a47af8ba6403b4);
    FORM("ubfx w0, w1, #16, #16", 0x0644b9108bccd3d3);
    FORM("ubfx w0, w1, #31, #1", 0x3e41bbe1f4f798a0);
    FORM("ubfx w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("sbfx w0, w1, #0, #1", 0x93f6d01685cf0a98);
    FORM("sbfx w0, w1, #3, #8", 0x218f3851ccbf3e27);
    FORM("sbfx w0, w1, #16, #16", 0x460125644bed95d0);
    FORM("sbfx w0, w1, #31, #1", 0xfc102c5613c07437);
    FORM("sbfx w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("bfxil w0, w1, #0, #1", 0xce0efac8c363eeab);
    FORM("bfxil w0, w1, #3, #8", 0x670e39b0e44f70f1);
    FORM("bfxil w0, w1, #16, #16", 0x6bcc23b069162189);
    FORM("bfxil w0, w1, #31, #1", 0xc394202840792b0e);
    FORM("bfxil w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("ubfiz w0, w1, #0, #1", 0xaf645cb3080ba072);
    FORM("ubfiz w0, w1, #3, #8", 0xa993cedc21ebb35a);
    FORM("ubfiz w0, w1, #16, #16", 0xbecb37559fc3b438);
    FORM("ubfiz w0, w1, #31, #1", 0xedd8df71ffaae9a1);
    FORM("ubfiz w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("sbfiz w0, w1, #0, #1", 0x93f6d01685cf0a98);
    FORM("sbfiz w0, w1, #3, #8", 0x75552266103cde47);
    FORM("sbfiz w0, w1, #16, #16", 0xbecb37559fc3b438);
    FORM("sbfiz w0, w1, #31, #1", 0xedd8df71ffaae9a1);
    FORM("sbfiz w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("bfi w0, w1, #0, #1", 0xce0efac8c363eeab);
    FORM("bfi w0, w1, #3, #8", 0xa0b338c2f79ff260);
    FORM("bfi w0, w1, #16, #16", 0x33a120597b283303);
    FORM("bfi w0, w1, #31, #1", 0x3b32d98b19f4791e);
    FORM("bfi w0, w1, #0, #32", 0x74e2f5f09061a14d);
    FORM("sxtb w0, w1", 0x5e0bbe93f9973526);
    FORM("sxth w0, w1", 0xa80c2a56c3e491a4);
    FORM("rbit w0, w1", 0x9ac643451c8a63a9);
    FORM("rev16 w0, w1", 0x2887bd5fc52ca6c6);
    FORM("rev w0, w1", 0xec8712b03423932a);
    FORM("clz w0, w1", 0x6566f6123e5755b8);
    FORM("cls w0, w1", 0xd922646f1a8572ff);
    FORM("uxtb w0, w1", 0xcac3a8af303f4b41);
    FORM("uxth w0, w1", 0x92e6f360f08322b9);
    FORM("sxtw x0, w1", 0xf4a97fcad0372324);
    FORM("rev32 x0, x1", 0x9831ecce08caf7a6);
    forms_end();
}

TMK_TEST(multiply_and_divide, 0)
{
    FORM("mul x0, x1, x2", 0x1105025d29ee7885);
    FORM("mneg x0, x1, x2", 0x1e0552de1653ac63);
    FORM("madd x0, x1, x2, x3", 0xac45d896a2b17bcd);
    FORM("msub x0, x1, x2, x3", 0xf0847c2408abc0cd);
    FORM("udiv x0, x1, x2", 0x947370414f105632);
    FORM("sdiv x0, x1, x2", 0x72b01c9d5e7540b6);
    FORM("mul w0, w1, w2", 0xd19068d99f4bd4db);
    FORM("mneg w0, w1, w2", 0x69c1e5a554fc5c52);
    FORM("madd w0, w1, w2, w3", 0xf1f3dcaa33318496);
    FORM("msub w0, w1, w2, w3", 0x55058451ca4973ec);
    FORM("udiv w0, w1, w2", 0x588b0b399252d510);
    FORM("sdiv w0, w1, w2", 0x854d47700381387c);
    FORM("smull x0, w1, w2", 0xe8bc3228ae0dcb35);
    FORM("umull x0, w1, w2", 0x8f06cfec96043e69);
    FORM("smaddl x0, w1, w2, x3", 0xd313bb9054f6d9a6);
    FORM("umaddl x0, w1, w2, x3", 0xb711be49b97b63c1);
    FORM("smsubl x0, w1, w2, x3", 0x8051c560ec965874);
    FORM("umsubl x0, w1, w2, x3", 0x90853405624e061a);
    FORM("smnegl x0, w1, w2", 0x50d7762a89494cc7);
    FORM("umnegl x0, w1, w2", 0xfd62de13d8bbe3bc);
    FORM("smulh x0, x1, x2", 0x17346ffe0789ae63);
    FORM("umulh x0, x1, x2", 0x9be49846d24bf0bd);
    forms_end();
}

TMK_TEST(conditional_select_and_compare, 0)
{
    FORM("csel x0, x1, x2, eq", 0xa78879a4e236ffd5);
    FORM("csel x0, x1, x2, ne", 0x137f8257b2c28ea1);
    FORM("csel x0, x1, x2, cs", 0xc52284eaec63e168);
    FORM("csel x0, x1, x2, cc", 0xa602cda000f9f5f1);
    FORM("csel x0, x1, x2, mi", 0x7c3a1fce6d7dd29e);
    FORM("csel x0, x1, x2, pl", 0x9a065e83e5a730b6);
    FORM("csel x0, x1, x2, vs", 0x7c8b6de70e4bd0d2);
    FORM("csel x0, x1, x2, vc", 0xe96c860c4ef579d8);
    FORM("csel x0, x1, x2, hi", 0x7fa39d6f23ad2304);
    FORM("csel x0, x1, x2, ls", 0x6149b4681b91f4c6);
    FORM("csel x0, x1, x2, ge", 0x6e63469802f01185);
    FORM("csel x0, x1, x2, lt", 0x0d337bc239a21cc6);
    FORM("csel x0, x1, x2, gt", 0xc9e6fb30120593a2);
    FORM("csel x0, x1, x2, le", 0x45438222ffef3bf0);
    FORM("csel x0, x1, x2, al", 0x91133a123064937a);
    FORM("csinc x0, x1, x2, eq", 0xd94c9b7b6b37e0cb);
    FORM("csinc x0, x1, x2, hi", 0x8892eb9f5326fa8c);
    FORM("csinc x0, x1, x2, lt", 0x5fd889bc6da73bc9);
    FORM("csinv x0, x1, x2, eq", 0x8eabb999ab2484bb);
    FORM("csinv x0, x1, x2, hi", 0xd56c9428cbed302d);
    FORM("csinv x0, x1, x2, lt", 0x6ea103f194a1db51);
    FORM("csneg x0, x1, x2, eq", 0x71e30e8afba684f8);
    FORM("csneg x0, x1, x2, hi", 0xbfdc7cb810615663);
    FORM("csneg x0, x1, x2, lt", 0x29b72b5200b731ea);
    FORM("csel x0, x1, x2, eq", 0xa78879a4e236ffd5);
    FORM("csel x0, x1, x2, hi", 0x7fa39d6f23ad2304);
    FORM("csel x0, x1, x2, lt", 0x0d337bc239a21cc6);
    FORM("cset x0, ne", 0x93eaf1f530a01b9e);
    FORM("csetm x0, ne", 0x36d2bec0b8ae92e3);
    FORM("cinc x0, x1, ne", 0x7378db0e110e9daf);
    FORM("cneg x0, x1, ne", 0x766c8d2be09a38e6);
    FORM("cset x0, ge", 0x8ceaa0f14d27f129);
    FORM("csetm x0, ge", 0x76cad6da0d139fde);
    FORM("cinc x0, x1, ge", 0x4906d0c320eb904b);
    FORM("cneg x0, x1, ge", 0x22be584fd8ce2b28);
    FORM("ccmp x1, x2, #5, eq", 0x1905b8f1833857ea);
    FORM("ccmn x1, x2, #10, eq", 0x9c1f2748203c9ef4);
    FORM("ccmp x1, #31, #15, eq", 0x4c93863d7a15588a);
    FORM("ccmn x1, #1, #0, eq", 0xc3037592a8b70a85);
    FORM("ccmp x1, x2, #5, cc", 0x82bf3800f614f84b);
    FORM("ccmn x1, x2, #10, cc", 0x514c0cb6a0d99946);
    FORM("ccmp x1, #31, #15, cc", 0xa8ca422f1f16fcf9);
    FORM("ccmn x1, #1, #0, cc", 0x268c2e8761a343ec);
    FORM("ccmp x1, x2, #5, le", 0x69a31e1a828e6819);
    FORM("ccmn x1, x2, #10, le", 0xa0f8ebf3a48fb444);
    FORM("ccmp x1, #31, #15, le", 0x6ddd98f3385fc160);
    FORM("ccmn x1, #1, #0, le", 0xc238bf97eb3f874b);
    FORM("csinc w0, w1, w2, eq", 0x592ff11f783152f1);
    FORM("csinc w0, w1, w2, hi", 0x72bb6678218d2e9f);
    FORM("csinc w0, w1, w2, lt", 0x114ee441e6890350);
    FORM("csinv w0, w1, w2, eq", 0xb4dc06e4acf59d91);
    FORM("csinv w0, w1, w2, hi", 0xcf235007ad9e0aaf);
    FORM("csinv w0, w1, w2, lt", 0xad764c1b54dc19d2);
    FORM("csneg w0, w1, w2, eq", 0xa239ff7b63a0a3be);
    FORM("csneg w0, w1, w2, hi", 0xbe0568244f217d68);
    FORM("csneg w0, w1, w2, lt", 0x060d44f73b4e30d6);
    FORM("csel w0, w1, w2, eq", 0x7c19b4e002a1e439);
    FORM("csel w0, w1, w2, hi", 0xd6bdffd2892b8c01);
    FORM("csel w0, w1, w2, lt", 0x9dfd7351010172a3);
    FORM("cset w0, ne", 0x93eaf1f530a01b9e);
    FORM("csetm w0, ne", 0x66eb9e8340aaa1d1);
    FORM("cinc w0, w1, ne", 0x38497d101f4a411b);
    FORM("cneg w0, w1, ne", 0xadfa80299b039f1b);
    FORM("cset w0, ge", 0x8ceaa0f14d27f129);
    FORM("csetm w0, ge", 0x8a0355893886a5f0);
    FORM("cinc w0, w1, ge", 0x1e50f50ed3c4efb6);
    FORM("cneg w0, w1, ge", 0x83ed23a3ce063a4a);
    FORM("ccmp w1, w2, #5, eq", 0x72e84b5969681409);
    FORM("ccmn w1, w2, #10, eq", 0x15dfac367bb432b6);
    FORM("ccmp w1, #31, #15, eq", 0xbf0b344e21fc5e54);
    FORM("ccmn w1, #1, #0, eq", 0xb18a5a065e4f3208);
    FORM("ccmp w1, w2, #5, cc", 0xa6da874c1c569b90);
    FORM("ccmn w1, w2, #10, cc", 0xa9fa97d1b36184d4);
    FORM("ccmp w1, #31, #15, cc", 0x12bbe3b6127febf4);
    FORM("ccmn w1, #1, #0, cc", 0x1f23c0c10051ba0d);
    FORM("ccmp w1, w2, #5, le", 0x46742a15e73494d0);
    FORM("ccmn w1, w2, #10, le", 0x26434e99f152e33d);
    FORM("ccmp w1, #31, #15, le", 0xe100b441a0be73c0);
    FORM("ccmn w1, #1, #0, le", 0xa841e9beb1e6c99a);
    forms_end();
}

TMK_TEST(branches, 0)
{
    FORM("b.eq 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x03f90bdbba6e2725);
    FORM("b.ne 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x27cb106d9fa79da1);
    FORM("b.cs 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x8575fce036013c27);
    FORM("b.cc 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xc9f2ca8744e75354);
    FORM("b.mi 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x83ceb50e830b297c);
    FORM("b.pl 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x6094e85464038f7c);
    FORM("b.vs 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x574923624aa21a31);
    FORM("b.vc 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xbfb665b98e1c42b7);
    FORM("b.hi 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x21824f2482a8324b);
    FORM("b.ls 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x3252c358b624cc09);
    FORM("b.ge 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xf5a009d5d2e5dcc3);
    FORM("b.lt 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x9a10318da356b7ca);
    FORM("b.gt 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xf026ccafdcd0b200);
    FORM("b.le 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xb7c6c045b4082956);
    FORM("cbz x1, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xb730c7949bcef5e9);
    FORM("cbnz x1, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x7df80dd69c98c893);
    FORM("cbz w1, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xda4c162ff85cc616);
    FORM("cbnz w1, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xd56068d1327aebec);
    FORM("tbz w1, #0, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x68aa6ce29b7f27d3);
    FORM("tbz w1, #5, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xb2d7050d0a9aa2db);
    FORM("tbz w1, #31, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xa529df36a8e5c3b5);
    FORM("tbnz x1, #32, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x81ab19a509f82bb1);
    FORM("tbnz x1, #47, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0xc30430d50a1053ab);
    FORM("tbnz x1, #63, 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x8a51a22496617b27);
    FORM("b 1f\n\tmov x0, x3\n\t1: add x0, x0, #1", 0x01faed2ed7938546);
    FORM("adr x4, 1f\n\tbr x4\n\tmov x0, x3\n\t1: add x0, x0, #1\n\tmov x4, xzr", 0x01faed2ed7938546);
    FORM("mov x5, x30\n\tadr x4, 1f\n\tblr x4\n\tb 2f\n\t1: mov x0, x3\n\tret\n\t2: mov x30, x5\n\tmov x4, xzr\n\tmov x5, xzr", 0xa75dcd3ac3280a56);
    FORM("mov x5, x30\n\tbl 1f\n\tb 2f\n\t1: eor x0, x0, x3\n\tret\n\t2: mov x30, x5\n\tmov x5, xzr", 0x972f6548c1bd3632);
    FORM("adr x4, 1f\n\tret x4\n\tmov x0, x3\n\t1: mov x4, xzr", 0x119ac6fe185b89c3);
    FORM("adr x0, .\n\tadr x1, .-64\n\tsub x0, x0, x1\n\tmov x1, xzr", 0xd0913431fb4c4940);
    FORM("adrp x0, 1f\n\tadrp x1, 1f+0x5000\n\tsub x0, x1, x0\n\tmov x1, xzr\n\t1:", 0x417c3cdc07cd450f);
    FORM("and x4, x1, #15\n\tmov x0, xzr\n\t1: add x0, x0, x4\n\tsubs x4, x4, #1\n\tb.pl 1b", 0xb42f18428208a7aa);
    forms_end();
}

TMK_TEST(crc32, 0)
{
    FORM("crc32b w0, w1, w2", 0x8db942fd76ac08a4);
    FORM("crc32h w0, w1, w2", 0x01d6d4d81c04205f);
    FORM("crc32w w0, w1, w2", 0x97ae76394286a198);
    FORM("crc32x w0, w1, x2", 0x251013117b2c60fc);
    FORM("crc32cb w0, w1, w2", 0x12e54fc2add66156);
    FORM("crc32ch w0, w1, w2", 0x4b0b33efb44eee74);
    FORM("crc32cw w0, w1, w2", 0x9e5bee5fdf51c63c);
    FORM("crc32cx w0, w1, x2", 0x006912f53945cccc);
    forms_end();
}

TMK_TEST(stack_pointer_hints_and_barriers, 0)
{
    FORM("add x0, sp, #16\n\tmov x1, sp\n\tsub x0, x0, x1\n\tmov x1, xzr", 0x30185f789a7d8644);
    FORM("sub sp, sp, #32\n\tadd x0, sp, #32\n\tadd sp, sp, #32\n\tmov x1, sp\n\tsub x0, x0, x1\n\tmov x1, xzr", 0x3472f86e6dd2a6db);
    FORM("mrs x0, nzcv", 0x78f0b4cf8526157d);
    FORM("msr nzcv, x1", 0xa939c14d803bfb44);
    FORM("nop", 0x119ac6fe185b89c3);
    FORM("hint #34", 0x119ac6fe185b89c3);
    FORM("yield", 0x119ac6fe185b89c3);
    FORM("dmb ish", 0x119ac6fe185b89c3);
    FORM("dsb sy", 0x119ac6fe185b89c3);
    FORM("isb", 0x119ac6fe185b89c3);
    FORM("csdb", 0x119ac6fe185b89c3);
    FORM("prfm pldl1keep, [sp]", 0x119ac6fe185b89c3);
    FORM("orr x0, xzr, x1", 0x91133a123064937a);
    FORM("add x0, x1, xzr", 0x91133a123064937a);
    FORM("subs xzr, x1, x2", 0x0f3b0309d5aa7f18);
    FORM("adds wzr, w1, w2", 0x9a376c3cf558b679);
    forms_end();
}
