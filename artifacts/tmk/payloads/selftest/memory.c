/* Loads and stores of general-purpose registers in every addressing form, exclusives, and atomics. */
#pragma GCC target("arch=armv8-a+lse")
#include "integer-state.h"

#define WORDS 32

static uint64_t buffer[WORDS] __attribute__((aligned(64)));

/*
 * X1 points to the middle of the buffer, X0 and X3 hold data. X2 is a multiple of 16, X5 a small index, W6 is X2 with rubbish above
 * it, W7 an index that is not negative.
 */
static uint64_t digest_of(const void *code)
{
    uint64_t digest = DIGEST_START;
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned n = 0; n < WORDS; n++)
            buffer[n] = (n + 1) * 0x9e3779b97f4a7c15 ^ (uint64_t)round * 0x0123456789abcdef;
        uint64_t base = (uint64_t)&buffer[WORDS / 2];
        int64_t step = (int64_t)(round & 3) - 2;
        struct integer_state state = {
            .x = {
                0x1122334455667788ul * (round + 1), base, (uint64_t)(step * 16), 0x99aabbccddeeff01 >> round, 0,
                (uint64_t)(step * 2), 0xdead000000000000 | (uint32_t)(step * 16), 0xbeef000000000000 | (round & 2),
            },
            .nzcv = 0,
        };
        run_integer(code, &state);
        for (unsigned n = 0; n < WORDS; n++)
            digest = fold(digest, buffer[n]);
        state.x[1] -= base;
        for (unsigned n = 0; n < 8; n++)
            digest = fold(digest, state.x[n]);
    }
    return digest;
}

#define RUN_FORM(code) digest_of(code)

TMK_TEST(loads_and_stores, 0)
{
    FORM("ldrb w0, [x1]", 0x21b1c94eeaa701db);
    FORM("ldrb w0, [x1, #5]", 0x5075860a6d8d19cf);
    FORM("ldrb w0, [x1, #-3]!", 0x02c12a9c28a27caf);
    FORM("ldrb w0, [x1], #7", 0x55c658458837e5e3);
    FORM("ldrb w0, [x1, x2]", 0x546c8de3d9321497);
    FORM("ldrb w0, [x1, w6, sxtw]", 0x546c8de3d9321497);
    FORM("ldrsb w0, [x1]", 0x1cf8a02e3f09fbfe);
    FORM("ldrsb w0, [x1, #5]", 0xb1987cdd66891651);
    FORM("ldrsb w0, [x1, #-3]!", 0x46042c4d25051223);
    FORM("ldrsb w0, [x1], #7", 0x2fdd1b99141cd488);
    FORM("ldrsb w0, [x1, x2]", 0x4038b63767529852);
    FORM("ldrsb w0, [x1, w6, sxtw]", 0x4038b63767529852);
    FORM("ldrsb x0, [x1]", 0x5cc036949c5da9d0);
    FORM("ldrsb x0, [x1, #5]", 0x0238d976cb7f2206);
    FORM("ldrsb x0, [x1, #-3]!", 0x9ead30711692b426);
    FORM("ldrsb x0, [x1], #7", 0x3d60acfa4b64da52);
    FORM("ldrsb x0, [x1, x2]", 0x0ea127275faa3f36);
    FORM("ldrsb x0, [x1, w6, sxtw]", 0x0ea127275faa3f36);
    FORM("strb w3, [x1]", 0xc5a2061910cc8a3b);
    FORM("strb w3, [x1, #5]", 0xd88dcc128c856df2);
    FORM("strb w3, [x1, #-3]!", 0x210871056165b95f);
    FORM("strb w3, [x1], #7", 0x3382b5194a49fe31);
    FORM("strb w3, [x1, x2]", 0xdcaa43d21f77bc14);
    FORM("strb w3, [x1, w6, sxtw]", 0xdcaa43d21f77bc14);
    FORM("ldrh w0, [x1]", 0x42738635e7d53c2d);
    FORM("ldrh w0, [x1, #6]", 0x2dfc728feffa930f);
    FORM("ldrh w0, [x1, #-4]!", 0x5e61a74e86ff65d8);
    FORM("ldrh w0, [x1], #2", 0x2ea689ae546ca28c);
    FORM("ldrh w0, [x1, x5, lsl #1]", 0x7d5b0f13ba2e32a8);
    FORM("ldrh w0, [x1, w6, sxtw]", 0x5ebcbe185727ae44);
    FORM("ldrsh w0, [x1]", 0xe2b38c770e23fd24);
    FORM("ldrsh w0, [x1, #6]", 0xbafed8683fcef683);
    FORM("ldrsh w0, [x1, #-4]!", 0xfc0a38cecf7861af);
    FORM("ldrsh w0, [x1], #2", 0x37337f8618640f28);
    FORM("ldrsh w0, [x1, x5, lsl #1]", 0x07a7c94121fa5516);
    FORM("ldrsh w0, [x1, w6, sxtw]", 0xb97e48515dab3c47);
    FORM("ldrsh x0, [x1]", 0xa6d11f5ad8bf2fec);
    FORM("ldrsh x0, [x1, #6]", 0x68e00e38530b3a9a);
    FORM("ldrsh x0, [x1, #-4]!", 0xbfa7b2315b00e5fd);
    FORM("ldrsh x0, [x1], #2", 0x4b4c4e74d9bedb75);
    FORM("ldrsh x0, [x1, x5, lsl #1]", 0x5a71dd9fc98e26a6);
    FORM("ldrsh x0, [x1, w6, sxtw]", 0xaf0bd519750452fe);
    FORM("strh w3, [x1]", 0xb3ce1a3cb80e57e9);
    FORM("strh w3, [x1, #6]", 0x5de8e62484fb9325);
    FORM("strh w3, [x1, #-4]!", 0x209bd59ecaa950be);
    FORM("strh w3, [x1], #2", 0x4b2c10547d98b440);
    FORM("strh w3, [x1, x5, lsl #1]", 0xcd7f5ad9a5da59f2);
    FORM("strh w3, [x1, w6, sxtw]", 0x0a8ad53ae7a70cd2);
    FORM("ldr w0, [x1]", 0xdde3f3c82aeece4c);
    FORM("ldr w0, [x1, #12]", 0x4a7b2df1bf76f89a);
    FORM("ldr w0, [x1, #-4]!", 0x135bec47e13f3e0e);
    FORM("ldr w0, [x1], #8", 0x837cb82eab4c27af);
    FORM("ldr w0, [x1, x5, lsl #2]", 0x663f2bd4c5a54f2f);
    FORM("ldr w0, [x1, w6, sxtw]", 0x7b544cf00f789d8e);
    FORM("ldr w0, [x1, w7, uxtw #2]", 0x56ed1acce76f3483);
    FORM("ldrsw x0, [x1]", 0x83f32345cbc92acc);
    FORM("ldrsw x0, [x1, #12]", 0x4a7b2df1bf76f89a);
    FORM("ldrsw x0, [x1, #-4]!", 0x69fdaea39994522f);
    FORM("ldrsw x0, [x1], #8", 0x74af9ae4ab7ba96d);
    FORM("ldrsw x0, [x1, x5, lsl #2]", 0x663f2bd4c5a54f2f);
    FORM("ldrsw x0, [x1, w6, sxtw]", 0x9ffdb4a221412ac9);
    FORM("ldrsw x0, [x1, w7, uxtw #2]", 0x6bd4063dcd0ea7aa);
    FORM("str w3, [x1]", 0x1e59c3c5c9570ac8);
    FORM("str w3, [x1, #12]", 0x47c8c195946398e6);
    FORM("str w3, [x1, #-4]!", 0x943b2ab47156eaaa);
    FORM("str w3, [x1], #8", 0x0fc88cb94dda3590);
    FORM("str w3, [x1, x5, lsl #2]", 0xd21432d2040d66ad);
    FORM("str w3, [x1, w6, sxtw]", 0xc9f5208e16fd63e4);
    FORM("str w3, [x1, w7, uxtw #2]", 0x61fba19cf9c274ef);
    FORM("ldr x0, [x1]", 0x2a11cd924bfc205f);
    FORM("ldr x0, [x1, #24]", 0x2bdfad684f936f53);
    FORM("ldr x0, [x1, #-16]!", 0x7ecc54591530dd66);
    FORM("ldr x0, [x1], #8", 0x9e213ccc9e703197);
    FORM("ldr x0, [x1, x5, lsl #3]", 0x70569cf3710a7201);
    FORM("ldr x0, [x1, w6, sxtw]", 0x70569cf3710a7201);
    FORM("ldr x0, [x1, w7, uxtw #3]", 0x96d31c893ded497e);
    FORM("ldr x0, [x1, x2, sxtx]", 0x70569cf3710a7201);
    FORM("str x3, [x1]", 0xc788643f7ef00685);
    FORM("str x3, [x1, #24]", 0x8a6dfea82023ac85);
    FORM("str x3, [x1, #-16]!", 0x41b786b6108bbee9);
    FORM("str x3, [x1], #8", 0x9726a5edf4f720c7);
    FORM("str x3, [x1, x5, lsl #3]", 0xa194ba638cbe4d95);
    FORM("str x3, [x1, w6, sxtw]", 0xa194ba638cbe4d95);
    FORM("str x3, [x1, w7, uxtw #3]", 0x5f9a3e4362d77016);
    FORM("str x3, [x1, x2, sxtx]", 0xa194ba638cbe4d95);
    FORM("ldurb w0, [x1, #-7]", 0xa19a72143b13968b);
    FORM("ldursb x0, [x1, #-7]", 0x521d4ae81279c49e);
    FORM("sturb w3, [x1, #-7]", 0x346599fab9ed0406);
    FORM("ldurh w0, [x1, #-6]", 0x8f2f15d3d788b60b);
    FORM("ldursh w0, [x1, #-6]", 0x31da08d41c5afb8e);
    FORM("sturh w3, [x1, #-6]", 0xd121d2474a7c71ba);
    FORM("ldur w0, [x1, #-8]", 0xa98aa90977af545b);
    FORM("ldursw x0, [x1, #-8]", 0xfcf488fc035a230b);
    FORM("stur w3, [x1, #-8]", 0xfa65c134ad6b8707);
    FORM("ldur x0, [x1, #-8]", 0x2aafb975f9f06526);
    FORM("stur x3, [x1, #-8]", 0xa0536bb92ffc1967);
    FORM("ldtr x0, [x1, #8]", 0xe4cfe670dc53d885);
    FORM("ldtrb w0, [x1, #8]", 0x89483326daee081b);
    FORM("ldtrsh x0, [x1, #8]", 0x369cd63017bf61ca);
    FORM("sttr x3, [x1, #8]", 0xb54b2262d4fc06b0);
    FORM("sttrb w3, [x1, #8]", 0x2160f99870bd777a);
    FORM("str xzr, [x1]", 0x3e2d82b788a7e399);
    FORM("str wzr, [x1, #4]", 0xf16277349b7be4fb);
    FORM("strb wzr, [x1, #1]", 0xa2437cc828c9d7e3);
    FORM("ldr xzr, [x1]", 0xb967646c5777daea);
    FORM("mov x4, x1\n\tldr x1, [x1]\n\tmov x0, x1\n\tmov x1, x4\n\tmov x4, xzr", 0x2a11cd924bfc205f);
    FORM("ldr x0, 1f\n\tb 2f\n\t.balign 8\n\t1: .word 0x12345678, 0x9abcdef0\n\t2:", 0x6e5664b9f5f69bc0);
    FORM("ldr w0, 1f\n\tb 2f\n\t1: .word 0x92345678\n\t2:", 0x95039d79f7e8c552);
    FORM("ldrsw x0, 1f\n\tb 2f\n\t1: .word 0x92345678\n\t2:", 0x041e466cff6da3fa);
    forms_end();
}

TMK_TEST(pairs, 0)
{
    FORM("ldp x0, x3, [x1]", 0x5bc006a1eeebc83a);
    FORM("ldp x0, x3, [x1, #16]", 0xb0e46293f174cc7f);
    FORM("ldp x0, x3, [x1, #-16]!", 0x3a6b05662fed0d90);
    FORM("ldp x0, x3, [x1], #16", 0xe2e454b23deb4562);
    FORM("stp x3, x0, [x1]", 0xc488143f62fdc6ca);
    FORM("stp x3, x0, [x1, #-16]!", 0xdaa4f0c3036dea19);
    FORM("stp x0, x3, [x1], #16", 0x3dc541bcf8b6e9ee);
    FORM("ldnp x0, x3, [x1, #16]", 0xb0e46293f174cc7f);
    FORM("stnp x0, x3, [x1, #16]", 0x39fbf60f02590e66);
    FORM("stp xzr, xzr, [x1]", 0x674b2e88c138578f);
    FORM("ldp w0, w3, [x1]", 0x31518f902ac3df97);
    FORM("ldp w0, w3, [x1, #8]", 0x8cbecdfb31b5370a);
    FORM("ldp w0, w3, [x1, #-8]!", 0x986ccb5807189cea);
    FORM("ldp w0, w3, [x1], #8", 0xa5cef025630c0875);
    FORM("stp w3, w0, [x1]", 0x0949169d81412361);
    FORM("stp w3, w0, [x1, #-8]!", 0x80cdca44e110d3e9);
    FORM("stp w0, w3, [x1], #8", 0x0d9e33f1e2fc4228);
    FORM("ldnp w0, w3, [x1, #8]", 0x8cbecdfb31b5370a);
    FORM("stnp w0, w3, [x1, #8]", 0x2c2fc084a42f6568);
    FORM("stp wzr, wzr, [x1]", 0x3e2d82b788a7e399);
    FORM("ldpsw x0, x3, [x1]", 0xd274e10314cf1490);
    FORM("ldpsw x0, x3, [x1, #-8]!", 0xa8cecc118236169c);
    FORM("ldpsw x0, x3, [x1], #8", 0x38692978a8fc2d32);
    forms_end();
}

TMK_TEST(exclusives, 0)
{
    FORM("ldarb w0, [x1]", 0x21b1c94eeaa701db);
    FORM("stlrb w3, [x1]", 0xc5a2061910cc8a3b);
    FORM("ldxrb w0, [x1]\n\tstxrb w4, w3, [x1]", 0xcfb3cee85feebcd4);
    FORM("ldaxrb w0, [x1]\n\tstlxrb w4, w3, [x1]", 0xcfb3cee85feebcd4);
    FORM("clrex\n\tstxrb w4, w3, [x1]", 0xfb82865f37c9b76a);
    FORM("ldxrb w0, [x1]\n\tclrex\n\tstxrb w4, w3, [x1]", 0x007de4346a15ffa2);
    FORM("ldarh w0, [x1]", 0x42738635e7d53c2d);
    FORM("stlrh w3, [x1]", 0xb3ce1a3cb80e57e9);
    FORM("ldxrh w0, [x1]\n\tstxrh w4, w3, [x1]", 0x3df345ce87b73f77);
    FORM("ldaxrh w0, [x1]\n\tstlxrh w4, w3, [x1]", 0x3df345ce87b73f77);
    FORM("clrex\n\tstxrh w4, w3, [x1]", 0xfb82865f37c9b76a);
    FORM("ldxrh w0, [x1]\n\tclrex\n\tstxrh w4, w3, [x1]", 0xf245e7bedc1e8a4f);
    FORM("ldar w0, [x1]", 0xdde3f3c82aeece4c);
    FORM("stlr w3, [x1]", 0x1e59c3c5c9570ac8);
    FORM("ldxr w0, [x1]\n\tstxr w4, w3, [x1]", 0xfcbd3993a5e8a32a);
    FORM("ldaxr w0, [x1]\n\tstlxr w4, w3, [x1]", 0xfcbd3993a5e8a32a);
    FORM("clrex\n\tstxr w4, w3, [x1]", 0xfb82865f37c9b76a);
    FORM("ldxr w0, [x1]\n\tclrex\n\tstxr w4, w3, [x1]", 0xca509cce4ec53de3);
    FORM("ldar x0, [x1]", 0x2a11cd924bfc205f);
    FORM("stlr x3, [x1]", 0xc788643f7ef00685);
    FORM("ldxr x0, [x1]\n\tstxr w4, x3, [x1]", 0x888a0c490713b87a);
    FORM("ldaxr x0, [x1]\n\tstlxr w4, x3, [x1]", 0x888a0c490713b87a);
    FORM("clrex\n\tstxr w4, x3, [x1]", 0xfb82865f37c9b76a);
    FORM("ldxr x0, [x1]\n\tclrex\n\tstxr w4, x3, [x1]", 0xd4f387e755a2e7bd);
    FORM("ldxp w0, w4, [x1]\n\tstxp w5, w3, w0, [x1]", 0x7e4ca4a9267c5ec0);
    FORM("ldaxp w0, w4, [x1]\n\tstlxp w5, w0, w3, [x1]", 0x1f82eac61de3f128);
    FORM("ldxp x0, x4, [x1]\n\tstxp w5, x3, x0, [x1]", 0x58a395da25eff268);
    FORM("ldaxp x0, x4, [x1]\n\tstlxp w5, x0, x3, [x1]", 0x633c9de7c459db3f);
    FORM("1: ldaxr x0, [x1]\n\tadd x0, x0, x3\n\tstlxr w4, x0, [x1]\n\tcbnz w4, 1b", 0x31ae73beb1fabfbc);
    forms_end();
}

TMK_TEST(atomics, 0)
{
    FORM("ldaddb w3, w0, [x1]", 0xf8643ec079981cc8);
    FORM("ldaddh w3, w0, [x1]", 0xdfc7652d2a9668ef);
    FORM("ldadd w3, w0, [x1]", 0xc7107ca8a595cf3b);
    FORM("ldadd x3, x0, [x1]", 0xbf8df942cc8e2e39);
    FORM("ldadda w3, w0, [x1]", 0xc7107ca8a595cf3b);
    FORM("ldaddl x3, x0, [x1]", 0xbf8df942cc8e2e39);
    FORM("ldaddal x3, x0, [x1]", 0xbf8df942cc8e2e39);
    FORM("ldclrb w3, w0, [x1]", 0x292e427db1de2c80);
    FORM("ldclrh w3, w0, [x1]", 0x562db6c8264e7dda);
    FORM("ldclr w3, w0, [x1]", 0x83b0306fcd27d4b7);
    FORM("ldclr x3, x0, [x1]", 0x29932816139722d7);
    FORM("ldclra w3, w0, [x1]", 0x83b0306fcd27d4b7);
    FORM("ldclrl x3, x0, [x1]", 0x29932816139722d7);
    FORM("ldclral x3, x0, [x1]", 0x29932816139722d7);
    FORM("ldeorb w3, w0, [x1]", 0x4a863da5bac75fba);
    FORM("ldeorh w3, w0, [x1]", 0x0578d8e0cc6db1e4);
    FORM("ldeor w3, w0, [x1]", 0xa4e270a48f909402);
    FORM("ldeor x3, x0, [x1]", 0xfdaf558ae77ec96e);
    FORM("ldeora w3, w0, [x1]", 0xa4e270a48f909402);
    FORM("ldeorl x3, x0, [x1]", 0xfdaf558ae77ec96e);
    FORM("ldeoral x3, x0, [x1]", 0xfdaf558ae77ec96e);
    FORM("ldsetb w3, w0, [x1]", 0xd0e9e4d8efbb16a0);
    FORM("ldseth w3, w0, [x1]", 0x1da4a4feb323655e);
    FORM("ldset w3, w0, [x1]", 0x838d91fa6c0c1d76);
    FORM("ldset x3, x0, [x1]", 0x8ba3d43ca9e72076);
    FORM("ldseta w3, w0, [x1]", 0x838d91fa6c0c1d76);
    FORM("ldsetl x3, x0, [x1]", 0x8ba3d43ca9e72076);
    FORM("ldsetal x3, x0, [x1]", 0x8ba3d43ca9e72076);
    FORM("ldsmaxb w3, w0, [x1]", 0xb4d8a3fc30c293c0);
    FORM("ldsmaxh w3, w0, [x1]", 0xc6f12d858444fd89);
    FORM("ldsmax w3, w0, [x1]", 0x56487246196b2e4b);
    FORM("ldsmax x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("ldsmaxa w3, w0, [x1]", 0x56487246196b2e4b);
    FORM("ldsmaxl x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("ldsmaxal x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("ldsminb w3, w0, [x1]", 0xb73cf076d9cf6a06);
    FORM("ldsminh w3, w0, [x1]", 0x28360a621b847c11);
    FORM("ldsmin w3, w0, [x1]", 0x0c80d213ce4ed6dc);
    FORM("ldsmin x3, x0, [x1]", 0x2a11cd924bfc205f);
    FORM("ldsmina w3, w0, [x1]", 0x0c80d213ce4ed6dc);
    FORM("ldsminl x3, x0, [x1]", 0x2a11cd924bfc205f);
    FORM("ldsminal x3, x0, [x1]", 0x2a11cd924bfc205f);
    FORM("ldumaxb w3, w0, [x1]", 0xb4d8a3fc30c293c0);
    FORM("ldumaxh w3, w0, [x1]", 0xcfd6d44fac55a861);
    FORM("ldumax w3, w0, [x1]", 0x783b27d4fd0f7905);
    FORM("ldumax x3, x0, [x1]", 0xe41e30d48011e9f6);
    FORM("ldumaxa w3, w0, [x1]", 0x783b27d4fd0f7905);
    FORM("ldumaxl x3, x0, [x1]", 0xe41e30d48011e9f6);
    FORM("ldumaxal x3, x0, [x1]", 0xe41e30d48011e9f6);
    FORM("lduminb w3, w0, [x1]", 0xb73cf076d9cf6a06);
    FORM("lduminh w3, w0, [x1]", 0xf458848a6f3b9bbf);
    FORM("ldumin w3, w0, [x1]", 0x8176547932ac82e7);
    FORM("ldumin x3, x0, [x1]", 0x204cdb1957e36e63);
    FORM("ldumina w3, w0, [x1]", 0x8176547932ac82e7);
    FORM("lduminl x3, x0, [x1]", 0x204cdb1957e36e63);
    FORM("lduminal x3, x0, [x1]", 0x204cdb1957e36e63);
    FORM("swpb w3, w0, [x1]", 0xcfb3cee85feebcd4);
    FORM("swph w3, w0, [x1]", 0x3df345ce87b73f77);
    FORM("swp w3, w0, [x1]", 0xfcbd3993a5e8a32a);
    FORM("swp x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("swpa w3, w0, [x1]", 0xfcbd3993a5e8a32a);
    FORM("swpl x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("swpal x3, x0, [x1]", 0x888a0c490713b87a);
    FORM("stadd x3, [x1]", 0x9bb20c6181332664);
    FORM("staddb w3, [x1]", 0x764f3a3517e56b78);
    FORM("stclr x3, [x1]", 0x138620e30d20863c);
    FORM("stclrb w3, [x1]", 0x7c36599db495698f);
    FORM("steor x3, [x1]", 0x8ac6873182c9ee74);
    FORM("steorb w3, [x1]", 0x26e8ee7d7866301f);
    FORM("stset x3, [x1]", 0x38fca806ada3d501);
    FORM("stsetb w3, [x1]", 0x531682596b2e061f);
    FORM("stsmax x3, [x1]", 0xc788643f7ef00685);
    FORM("stsmaxb w3, [x1]", 0x7187a5f04900670b);
    FORM("stumin x3, [x1]", 0xac233abd8450ac8f);
    FORM("stuminb w3, [x1]", 0x65543c38d0896b27);
    FORM("ldrb w0, [x1]\n\tcasb w0, w3, [x1]", 0xcfb3cee85feebcd4);
    FORM("casb w0, w3, [x1]", 0x21b1c94eeaa701db);
    FORM("ldrh w0, [x1]\n\tcash w0, w3, [x1]", 0x3df345ce87b73f77);
    FORM("cash w0, w3, [x1]", 0x42738635e7d53c2d);
    FORM("ldr w0, [x1]\n\tcas w0, w3, [x1]", 0xfcbd3993a5e8a32a);
    FORM("cas w0, w3, [x1]", 0xdde3f3c82aeece4c);
    FORM("ldr x0, [x1]\n\tcas x0, x3, [x1]", 0x888a0c490713b87a);
    FORM("cas x0, x3, [x1]", 0x2a11cd924bfc205f);
    FORM("casal x0, x3, [x1]", 0x2a11cd924bfc205f);
    FORM("casa w0, w3, [x1]", 0xdde3f3c82aeece4c);
    FORM("casl w0, w3, [x1]", 0xdde3f3c82aeece4c);
    FORM("ldp x4, x5, [x1]\n\tmov x2, x0\n\tcaspal x4, x5, x2, x3, [x1]", 0x89046707988fc9ec);
    FORM("mov x4, x0\n\tcasp w4, w5, w2, w3, [x1]", 0x7a14059dda5debdc);
    FORM("ldp w4, w5, [x1]\n\tcasp w4, w5, w2, w3, [x1]", 0x55aaf8bf6a572f60);
    forms_end();
}
