/* Loads and stores of SIMD registers in every addressing form, and of structures. */
#include "vector-state.h"

#define WORDS 64

static uint64_t buffer[WORDS] __attribute__((aligned(64)));

/* X1 points to the middle of the buffer; X2 is a multiple of 16, X3 a small index. */
static uint64_t memory_digest_of(const void *code)
{
    uint64_t digest = DIGEST_START;
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned n = 0; n < WORDS; n++)
            buffer[n] = (n + 1) * 0x9e3779b97f4a7c15 ^ (uint64_t)round * 0x0123456789abcdef;
        uint64_t base = (uint64_t)&buffer[WORDS / 2];
        int64_t step = (int64_t)(round & 3) - 2;
        struct vector_state state = { .x = { 0, base, (uint64_t)(step * 16), (uint64_t)step } };
        for (unsigned n = 0; n < 5; n++) {
            state.v[n][0] = integer_operands[(n + round) & 7][0];
            state.v[n][1] = integer_operands[(n + round) & 7][1];
        }
        run_vector(code, &state);
        for (unsigned n = 0; n < WORDS; n++)
            digest = fold(digest, buffer[n]);
        state.x[1] -= base;
        digest = fold_state(digest, &state);
    }
    return digest;
}

#define RUN_FORM(code) memory_digest_of(code)

TMK_TEST(loads_and_stores, 0)
{
    FORM("ldr b0, [x1]", 0x1609d961b7a2aed7);
    FORM("ldr b0, [x1, #32]", 0x2e852bfff59b2727);
    FORM("ldr b0, [x1, #-16]!", 0x57f075901f9e3fdc);
    FORM("ldr b0, [x1], #16", 0x530c1a945a71543d);
    FORM("ldr b0, [x1, x2]", 0x7a52ae8cac4c2ee2);
    FORM("str b0, [x1]", 0x8cd437990b948544);
    FORM("str b0, [x1, #32]", 0x7d938b7ad4c817a5);
    FORM("str b0, [x1, #-16]!", 0x64d90890a278a570);
    FORM("str b0, [x1], #16", 0x71d50f2825e2f81f);
    FORM("str b0, [x1, x2]", 0xaa95135b7b5414e5);
    FORM("ldur b0, [x1, #-16]", 0xdb6bd99be6338c0d);
    FORM("stur b0, [x1, #-16]", 0x01006c4f353b8054);
    FORM("ldr h0, [x1]", 0x2861dc5e65770e88);
    FORM("ldr h0, [x1, #32]", 0xbb8834a7824f9cf9);
    FORM("ldr h0, [x1, #-16]!", 0x30d08ca492779e44);
    FORM("ldr h0, [x1], #16", 0x9bd90c10e70a1517);
    FORM("ldr h0, [x1, x2]", 0xe9a9e6912235cc86);
    FORM("str h0, [x1]", 0x8018f138704fcaa9);
    FORM("str h0, [x1, #32]", 0x24a6224996cee423);
    FORM("str h0, [x1, #-16]!", 0x3a88cac161e33924);
    FORM("str h0, [x1], #16", 0x7e2b988c2d9b162a);
    FORM("str h0, [x1, x2]", 0x368f23fa3085b50c);
    FORM("ldur h0, [x1, #-16]", 0x8d337a1d95609379);
    FORM("stur h0, [x1, #-16]", 0x7ac3c148921ab200);
    FORM("ldr s0, [x1]", 0xe3d7599928a5519c);
    FORM("ldr s0, [x1, #32]", 0xdda1cf02f21c89ce);
    FORM("ldr s0, [x1, #-16]!", 0x679102b275e6ef18);
    FORM("ldr s0, [x1], #16", 0xc2c5da0a6d408ffe);
    FORM("ldr s0, [x1, x2]", 0x0bf8576ef7f7ef3d);
    FORM("str s0, [x1]", 0x423309bd152d053e);
    FORM("str s0, [x1, #32]", 0x1e984e7f130df2aa);
    FORM("str s0, [x1, #-16]!", 0x8ea60f0ebc2e050b);
    FORM("str s0, [x1], #16", 0xe56f31d9c83bf4b4);
    FORM("str s0, [x1, x2]", 0xec034076277dd50c);
    FORM("ldur s0, [x1, #-16]", 0xd519d0f7aecef314);
    FORM("stur s0, [x1, #-16]", 0x94d968cdf9f5f7e3);
    FORM("ldr d0, [x1]", 0xc45a33528bf21b79);
    FORM("ldr d0, [x1, #32]", 0xb8fa23febda83c2f);
    FORM("ldr d0, [x1, #-16]!", 0x6193e81ee6380637);
    FORM("ldr d0, [x1], #16", 0xa82ae3f9377e074c);
    FORM("ldr d0, [x1, x2]", 0xba47de20279a549f);
    FORM("str d0, [x1]", 0xf4fc7100eeb4a670);
    FORM("str d0, [x1, #32]", 0xdd6203df750c2796);
    FORM("str d0, [x1, #-16]!", 0x6a7c526acc45cad9);
    FORM("str d0, [x1], #16", 0x8da49c33652108f3);
    FORM("str d0, [x1, x2]", 0x843ab3da58437a9b);
    FORM("ldur d0, [x1, #-16]", 0xb91ad692b0727395);
    FORM("stur d0, [x1, #-16]", 0x19b7c606031e881c);
    FORM("ldr q0, [x1]", 0x1d379309509406ea);
    FORM("ldr q0, [x1, #32]", 0xc0556b68ec1f209f);
    FORM("ldr q0, [x1, #-16]!", 0xeb3efb92dafaf94d);
    FORM("ldr q0, [x1], #16", 0xc9ab548ebe3b5aca);
    FORM("ldr q0, [x1, x2]", 0x206b237665d530c7);
    FORM("str q0, [x1]", 0x0c751ed70f9c5bc4);
    FORM("str q0, [x1, #32]", 0x5d2e8d43d40b3f7f);
    FORM("str q0, [x1, #-16]!", 0xc9e812b0441506dc);
    FORM("str q0, [x1], #16", 0x7ba93492c11bda6c);
    FORM("str q0, [x1, x2]", 0xe428d54af01ccabe);
    FORM("ldur q0, [x1, #-16]", 0x91451ca1d22fbb73);
    FORM("stur q0, [x1, #-16]", 0x49aa727d3bb66ba7);
    FORM("ldp s0, s1, [x1]", 0x6198b2f7334ef3ee);
    FORM("ldp s0, s1, [x1, #-32]!", 0x3b6a2c032559cfd3);
    FORM("ldp s0, s1, [x1], #32", 0x9cc5a85d2fa1168f);
    FORM("ldnp s0, s1, [x1, #32]", 0xf893adc7b4f46bc0);
    FORM("stp s0, s1, [x1]", 0xe6bf38e1e0c07815);
    FORM("stp s0, s1, [x1, #-32]!", 0xcb78ce7d06812b7b);
    FORM("stp s0, s1, [x1], #32", 0x90129b8777b55366);
    FORM("stnp s0, s1, [x1, #32]", 0x542ed9c39c1cfb75);
    FORM("ldp d0, d1, [x1]", 0x4b6352e470c0f914);
    FORM("ldp d0, d1, [x1, #-32]!", 0x995754be3e09b04b);
    FORM("ldp d0, d1, [x1], #32", 0x595249af820deebe);
    FORM("ldnp d0, d1, [x1, #32]", 0x7ead17fca25c29c9);
    FORM("stp d0, d1, [x1]", 0xf0d9007b9e33d20f);
    FORM("stp d0, d1, [x1, #-32]!", 0x8f3f55cd4eb3340e);
    FORM("stp d0, d1, [x1], #32", 0xaabf40e5607b5046);
    FORM("stnp d0, d1, [x1, #32]", 0x27fe6d95d743a7ca);
    FORM("ldp q0, q1, [x1]", 0x6972b9421d4702b8);
    FORM("ldp q0, q1, [x1, #-32]!", 0x9266ecac387d0cca);
    FORM("ldp q0, q1, [x1], #32", 0x6eab54142633d4f8);
    FORM("ldnp q0, q1, [x1, #32]", 0x6ae545718ef2c16c);
    FORM("stp q0, q1, [x1]", 0x7d3e2d841768da79);
    FORM("stp q0, q1, [x1, #-32]!", 0x04577a0159db0b23);
    FORM("stp q0, q1, [x1], #32", 0x29b1121b6174822a);
    FORM("stnp q0, q1, [x1, #32]", 0x492a203699f173fd);
    FORM("ldr q0, [x1, x3, lsl #4]", 0x206b237665d530c7);
    FORM("str d0, [x1, x3, lsl #3]", 0xe72e6ec56dd33be1);
    FORM("ldr d0, 1f\n\tb 2f\n\t.balign 8\n\t1: .word 0x11223344, 0x55667788\n\t2:", 0x1b26eaf288ea782f);
    FORM("ld1 {v0.8b}, [x1]", 0xc45a33528bf21b79);
    FORM("ld1 {v0.16b}, [x1]", 0x1d379309509406ea);
    FORM("ld1 {v0.4h}, [x1]", 0xc45a33528bf21b79);
    FORM("ld1 {v0.8h}, [x1]", 0x1d379309509406ea);
    FORM("ld1 {v0.2s}, [x1]", 0xc45a33528bf21b79);
    FORM("ld1 {v0.4s}, [x1]", 0x1d379309509406ea);
    FORM("ld1 {v0.2d}, [x1]", 0x1d379309509406ea);
    FORM("ld1 {v0.1d}, [x1]", 0xc45a33528bf21b79);
    FORM("ld2 {v0.8b, v1.8b}, [x1]", 0xa40551e52169733b);
    FORM("ld2 {v0.8h, v1.8h}, [x1]", 0x0f0c2056e902f06b);
    FORM("ld2 {v0.4s, v1.4s}, [x1]", 0xc7b2f4191ba9e6da);
    FORM("ld2 {v0.2d, v1.2d}, [x1]", 0x133acddc5bb32c63);
    FORM("ld3 {v0.8b, v1.8b, v2.8b}, [x1]", 0x3f9da6e0dca20de0);
    FORM("ld3 {v0.8h, v1.8h, v2.8h}, [x1]", 0x34bd7378ba955f65);
    FORM("ld3 {v0.4s, v1.4s, v2.4s}, [x1]", 0x7be10b313d924fab);
    FORM("ld3 {v0.2d, v1.2d, v2.2d}, [x1]", 0x35a40cf8e2bc74d5);
    FORM("ld4 {v0.8b, v1.8b, v2.8b, v3.8b}, [x1]", 0xbfc6ef8a01f67bbb);
    FORM("ld4 {v0.16b, v1.16b, v2.16b, v3.16b}, [x1]", 0xc3e7fcd8f32da3b2);
    FORM("ld4 {v0.4h, v1.4h, v2.4h, v3.4h}, [x1]", 0xaa72f26cb7a10920);
    FORM("ld4 {v0.8h, v1.8h, v2.8h, v3.8h}, [x1]", 0x8e53ce354335ba3b);
    FORM("ld4 {v0.2s, v1.2s, v2.2s, v3.2s}, [x1]", 0xd21f21ed7a6cb493);
    FORM("ld4 {v0.4s, v1.4s, v2.4s, v3.4s}, [x1]", 0x484ea502cc130256);
    FORM("ld4 {v0.2d, v1.2d, v2.2d, v3.2d}, [x1]", 0xbc8af7e47f87d84e);
    FORM("ld1 {v0.16b, v1.16b}, [x1], #32", 0x6eab54142633d4f8);
    FORM("ld1 {v0.4s, v1.4s, v2.4s}, [x1]", 0xbb019400fb4b9637);
    FORM("ld1 {v0.8h, v1.8h, v2.8h, v3.8h}, [x1], x2", 0x0203caa98ed0e24f);
    FORM("ld4 {v0.8b, v1.8b, v2.8b, v3.8b}, [x1], #32", 0xc1047a1de36b8e44);
    FORM("ld1 {v0.b}[11], [x1]", 0x69037e819caf258b);
    FORM("ld2 {v0.b, v1.b}[11], [x1]", 0xeacbe3bb1f4c45a5);
    FORM("ld4 {v0.b, v1.b, v2.b, v3.b}[11], [x1]", 0x782527ec90d5a104);
    FORM("ld1 {v0.h}[5], [x1]", 0x0613d8f41af56bbb);
    FORM("ld2 {v0.h, v1.h}[5], [x1]", 0x9a60829dfb8b5006);
    FORM("ld4 {v0.h, v1.h, v2.h, v3.h}[5], [x1]", 0xa1f8fa718cd1f70c);
    FORM("ld1 {v0.s}[2], [x1]", 0x17ab7d05f9c2f433);
    FORM("ld2 {v0.s, v1.s}[2], [x1]", 0x06f98ca4a1eab7e9);
    FORM("ld4 {v0.s, v1.s, v2.s, v3.s}[2], [x1]", 0x022b5913008cbfe3);
    FORM("ld1 {v0.d}[1], [x1]", 0xe998c0850731d856);
    FORM("ld2 {v0.d, v1.d}[1], [x1]", 0xda0f9d4593f3f158);
    FORM("ld4 {v0.d, v1.d, v2.d, v3.d}[1], [x1]", 0x31b90012a38a15ea);
    FORM("ld1 {v0.s}[1], [x1], #4", 0xa232c86903e125bf);
    FORM("ld3 {v0.h, v1.h, v2.h}[7], [x1], x2", 0x6f8bc733be0610db);
    FORM("st1 {v0.8b}, [x1]", 0xf4fc7100eeb4a670);
    FORM("st1 {v0.16b}, [x1]", 0x0c751ed70f9c5bc4);
    FORM("st1 {v0.4h}, [x1]", 0xf4fc7100eeb4a670);
    FORM("st1 {v0.8h}, [x1]", 0x0c751ed70f9c5bc4);
    FORM("st1 {v0.2s}, [x1]", 0xf4fc7100eeb4a670);
    FORM("st1 {v0.4s}, [x1]", 0x0c751ed70f9c5bc4);
    FORM("st1 {v0.2d}, [x1]", 0x0c751ed70f9c5bc4);
    FORM("st1 {v0.1d}, [x1]", 0xf4fc7100eeb4a670);
    FORM("st2 {v0.8b, v1.8b}, [x1]", 0xf7d9870630ea822e);
    FORM("st2 {v0.8h, v1.8h}, [x1]", 0xa0447d0ac15d410b);
    FORM("st2 {v0.4s, v1.4s}, [x1]", 0xfaabb3ef7b786c36);
    FORM("st2 {v0.2d, v1.2d}, [x1]", 0xa0cd79dc21d966d7);
    FORM("st3 {v0.8b, v1.8b, v2.8b}, [x1]", 0xfc2fbbc59b12d1ef);
    FORM("st3 {v0.8h, v1.8h, v2.8h}, [x1]", 0xe402ca2015e95ec5);
    FORM("st3 {v0.4s, v1.4s, v2.4s}, [x1]", 0xb8f132e6ef23d531);
    FORM("st3 {v0.2d, v1.2d, v2.2d}, [x1]", 0x536dccdc4bc01ad4);
    FORM("st4 {v0.8b, v1.8b, v2.8b, v3.8b}, [x1]", 0x0d454e0029208a10);
    FORM("st4 {v0.16b, v1.16b, v2.16b, v3.16b}, [x1]", 0x2c5dc0e34a8ad62c);
    FORM("st4 {v0.4h, v1.4h, v2.4h, v3.4h}, [x1]", 0xbf48e4627b128b35);
    FORM("st4 {v0.8h, v1.8h, v2.8h, v3.8h}, [x1]", 0xf2bf2ce5ae6fca61);
    FORM("st4 {v0.2s, v1.2s, v2.2s, v3.2s}, [x1]", 0xe8af7e9c7a5bbfd2);
    FORM("st4 {v0.4s, v1.4s, v2.4s, v3.4s}, [x1]", 0xa801a8bbe5e48361);
    FORM("st4 {v0.2d, v1.2d, v2.2d, v3.2d}, [x1]", 0xee311766be461626);
    FORM("st1 {v0.16b, v1.16b}, [x1], #32", 0x29b1121b6174822a);
    FORM("st1 {v0.4s, v1.4s, v2.4s}, [x1]", 0x7dc5da8219530128);
    FORM("st1 {v0.8h, v1.8h, v2.8h, v3.8h}, [x1], x2", 0xaa29d5c0d4066d96);
    FORM("st4 {v0.8b, v1.8b, v2.8b, v3.8b}, [x1], #32", 0x692da347d0987c2f);
    FORM("st1 {v0.b}[11], [x1]", 0xb46b98a6e6cae16b);
    FORM("st2 {v0.b, v1.b}[11], [x1]", 0xe753ae576ba84850);
    FORM("st4 {v0.b, v1.b, v2.b, v3.b}[11], [x1]", 0x24f0f317902c281f);
    FORM("st1 {v0.h}[5], [x1]", 0x82c4a9ac539f32d5);
    FORM("st2 {v0.h, v1.h}[5], [x1]", 0xfcde23463a13a1dd);
    FORM("st4 {v0.h, v1.h, v2.h, v3.h}[5], [x1]", 0x0b7b1740ec20b23f);
    FORM("st1 {v0.s}[2], [x1]", 0x7927daae70f045aa);
    FORM("st2 {v0.s, v1.s}[2], [x1]", 0xcf8a872b4afd4d2a);
    FORM("st4 {v0.s, v1.s, v2.s, v3.s}[2], [x1]", 0x4a7be7103feec87d);
    FORM("st1 {v0.d}[1], [x1]", 0x11fef3f7180ed82d);
    FORM("st2 {v0.d, v1.d}[1], [x1]", 0x73b3f44f942f5ea6);
    FORM("st4 {v0.d, v1.d, v2.d, v3.d}[1], [x1]", 0xd28950c3d278a992);
    FORM("st1 {v0.s}[1], [x1], #4", 0x537c20556bca6270);
    FORM("st3 {v0.h, v1.h, v2.h}[7], [x1], x2", 0xafd0be35a7d63151);
    FORM("ld1r {v0.16b}, [x1]", 0xad19b454f62a3565);
    FORM("ld1r {v0.4h}, [x1], #2", 0x0d6a29304bbee2b0);
    FORM("ld1r {v0.4s}, [x1]", 0xbe930a4c5d1bec7d);
    FORM("ld1r {v0.2d}, [x1], x2", 0x52f7dbb5793adb23);
    FORM("ld2r {v0.8h, v1.8h}, [x1]", 0x39c1cdde2bd387bc);
    FORM("ld3r {v0.4s, v1.4s, v2.4s}, [x1]", 0x7453e8410d408033);
    FORM("ld4r {v0.2d, v1.2d, v2.2d, v3.2d}, [x1]", 0xf763446a52bf6133);
    forms_end();
}
