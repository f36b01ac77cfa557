/* Floating point of double precision, scalar and vector, instruction by instruction. */
#include "vector-state.h"

#define RUN_FORM(code) digest_of(code, double_operands)

TMK_TEST(double_scalar, 0)
{
    FORM("fadd d0, d1, d2", 0x6d2a6f5529d74f0a);
    FORM("fsub d0, d1, d2", 0xd3729b81f9f29bf6);
    FORM("fmul d0, d1, d2", 0x611c2dd9451b7d93);
    FORM("fdiv d0, d1, d2", 0x1614c4a40aec948b);
    FORM("fnmul d0, d1, d2", 0xcd2f89af6cd3c2e5);
    FORM("fmax d0, d1, d2", 0x5836041ed0976ad7);
    FORM("fmin d0, d1, d2", 0x93fcdac038df2b21);
    FORM("fmaxnm d0, d1, d2", 0x3ca323e8449eacba);
    FORM("fminnm d0, d1, d2", 0xfda0caf57b1eee9d);
    FORM("fabd d0, d1, d2", 0x0a66bfe599e3fee5);
    FORM("fmadd d0, d1, d2, d3", 0xc560f9899f4b39e7);
    FORM("fmsub d0, d1, d2, d3", 0xcccb5122a0ff9b4a);
    FORM("fnmadd d0, d1, d2, d3", 0x1727af437c6de4ba);
    FORM("fnmsub d0, d1, d2, d3", 0x50040817997b9f07);
    FORM("fabs d0, d1", 0xe03f8ec2f88e7447);
    FORM("fneg d0, d1", 0xf990c7a4a32a4c96);
    FORM("fsqrt d0, d1", 0x201fa248e9a89fe6);
    FORM("frintn d0, d1", 0x339c60aa2140f3b5);
    FORM("frintp d0, d1", 0x4d2e678fc00628d4);
    FORM("frintm d0, d1", 0x339c60aa2140f3b5);
    FORM("frintz d0, d1", 0x339c60aa2140f3b5);
    FORM("frinta d0, d1", 0xc8e45434c6548b32);
    FORM("frintx d0, d1", 0x339c60aa2140f3b5);
    FORM("frinti d0, d1", 0x339c60aa2140f3b5);
    FORM("fcmp d1, d2", 0x6241b298966a83db);
    FORM("fcmp d1, #0.0", 0x9eea2351a0e1ce4b);
    FORM("fcmpe d1, d2", 0x6241b298966a83db);
    FORM("fcmpe d1, #0.0", 0x9eea2351a0e1ce4b);
    FORM("fcmp d1, d2\n\tfcsel d0, d1, d3, eq", 0x8bcdf07862f516c1);
    FORM("fcmp d1, d2\n\tfcsel d0, d1, d3, mi", 0x5bc3164cbdaa5ebd);
    FORM("fcmp d1, d2\n\tfcsel d0, d1, d3, gt", 0xe02171de44027f77);
    FORM("fcmp d1, d2\n\tfcsel d0, d1, d3, vs", 0x8d500d31e1c4c6ca);
    FORM("fccmp d1, d2, #6, ne", 0x41dbc99ce58afbb4);
    FORM("fccmpe d1, d2, #9, cs", 0x73876470cb9961ae);
    forms_end();
}

TMK_TEST(double_vector, 0)
{
    FORM("fadd v0.2d, v1.2d, v2.2d", 0x5cc989195c569bec);
    FORM("fsub v0.2d, v1.2d, v2.2d", 0xea7272457f7663d0);
    FORM("fmul v0.2d, v1.2d, v2.2d", 0x70e5654e33f34f96);
    FORM("fdiv v0.2d, v1.2d, v2.2d", 0xfa37d2f781228dd2);
    FORM("fmla v0.2d, v1.2d, v2.2d", 0xa38c0746508055fa);
    FORM("fmls v0.2d, v1.2d, v2.2d", 0xb081267121bea84f);
    FORM("fmax v0.2d, v1.2d, v2.2d", 0x99229c1b9e6d34e2);
    FORM("fmin v0.2d, v1.2d, v2.2d", 0x2ce3cfe7683e7d3b);
    FORM("fmaxnm v0.2d, v1.2d, v2.2d", 0x7b35985954af8c6f);
    FORM("fminnm v0.2d, v1.2d, v2.2d", 0x5ec5d5b7960369ed);
    FORM("fabd v0.2d, v1.2d, v2.2d", 0x6f8d7f60c7142373);
    FORM("faddp v0.2d, v1.2d, v2.2d", 0xf3d868be74a674fd);
    FORM("fmaxp v0.2d, v1.2d, v2.2d", 0xad7398ddc4b40322);
    FORM("fminp v0.2d, v1.2d, v2.2d", 0x482dcad4057b24e7);
    FORM("fmaxnmp v0.2d, v1.2d, v2.2d", 0xad7398ddc4b40322);
    FORM("fminnmp v0.2d, v1.2d, v2.2d", 0x482dcad4057b24e7);
    FORM("fcmeq v0.2d, v1.2d, v2.2d", 0xee6b6d73e05320f9);
    FORM("fcmge v0.2d, v1.2d, v2.2d", 0x8ea50d9a1a19fe13);
    FORM("fcmgt v0.2d, v1.2d, v2.2d", 0x90191f2907508320);
    FORM("facge v0.2d, v1.2d, v2.2d", 0xa7bf7eff936ad22a);
    FORM("facgt v0.2d, v1.2d, v2.2d", 0xc622a6a4fa658d4c);
    FORM("fmulx v0.2d, v1.2d, v2.2d", 0xf29fd260e346a6b0);
    FORM("frecps v0.2d, v1.2d, v2.2d", 0xc142f759b973e534);
    FORM("frsqrts v0.2d, v1.2d, v2.2d", 0x298da783ec52d485);
    FORM("fabs v0.2d, v1.2d", 0xa937b1482002d47d);
    FORM("fneg v0.2d, v1.2d", 0xf70661d77e35c34d);
    FORM("fsqrt v0.2d, v1.2d", 0x1637dea08cc8be6d);
    FORM("frintn v0.2d, v1.2d", 0x86be263595202b9d);
    FORM("frintp v0.2d, v1.2d", 0x924830b434ead03e);
    FORM("frintm v0.2d, v1.2d", 0xb6466a388f167ff5);
    FORM("frintz v0.2d, v1.2d", 0x358dcc2d3b40068f);
    FORM("frinta v0.2d, v1.2d", 0x853f0963c958b91d);
    FORM("frintx v0.2d, v1.2d", 0x86be263595202b9d);
    FORM("frinti v0.2d, v1.2d", 0x86be263595202b9d);
    FORM("frecpe v0.2d, v1.2d", 0x7f9c41dab98ba32f);
    FORM("frsqrte v0.2d, v1.2d", 0x2b6792f64fa47498);
    FORM("fcmeq v0.2d, v1.2d, #0.0", 0x3eccc1a75d893ea0);
    FORM("fcmge v0.2d, v1.2d, #0.0", 0xe2264960d57f0c38);
    FORM("fcmgt v0.2d, v1.2d, #0.0", 0x366319c3385e0f97);
    FORM("fcmle v0.2d, v1.2d, #0.0", 0x3c2dba729db24b1d);
    FORM("fcmlt v0.2d, v1.2d, #0.0", 0x38f20e6a56e65e88);
    FORM("fmul v0.2d, v1.2d, v2.d[1]", 0x8eb2f502f62a9e98);
    FORM("fmla v0.2d, v1.2d, v2.d[1]", 0xb8cdd0ff59e7dafe);
    FORM("fmls v0.2d, v1.2d, v2.d[1]", 0xe581251c050690d5);
    FORM("fmulx v0.2d, v1.2d, v2.d[1]", 0x24b9e8458c60f6a6);
    FORM("fmla d0, d1, v2.d[1]", 0xf9b0435c6f83349b);
    FORM("fmul d0, d1, v2.d[0]", 0x611c2dd9451b7d93);
    FORM("faddp d0, v1.2d", 0xe9d88f10257888ee);
    FORM("fmaxp d0, v1.2d", 0xe1d812b19f1645f1);
    FORM("fcmgt d0, d1, d2", 0x1efe7cab3cad3722);
    FORM("fcmeq d0, d1, #0.0", 0x7c74eaa87cf2ce0b);
    FORM("frecpe d0, d1", 0x998826fc9ff313f7);
    FORM("frecpx d0, d1", 0x32bc3d1499de7a61);
    FORM("frsqrte d0, d1", 0xf9c3a4497e55c18c);
    FORM("frecps d0, d1, d2", 0x5fd9d9695d99abae);
    forms_end();
}

TMK_TEST(double_convert, 0)
{
    FORM("fcvtns w0, d1", 0xc2a48b369989a9b9);
    FORM("fcvtns x0, d1", 0xb3a23f8d079dc095);
    FORM("fcvtns v0.2d, v1.2d", 0x310fa8830d65da83);
    FORM("fcvtnu w0, d1", 0xdaee9d767f06a6df);
    FORM("fcvtnu x0, d1", 0xcbc0a5789e0897e2);
    FORM("fcvtnu v0.2d, v1.2d", 0xd4c1e8cd18b93dc7);
    FORM("fcvtps w0, d1", 0xe43fe8c6c4da8e31);
    FORM("fcvtps x0, d1", 0x545d39c273fb56a7);
    FORM("fcvtps v0.2d, v1.2d", 0xc3576f71dfd9bb8d);
    FORM("fcvtpu w0, d1", 0xd09d6864862396c0);
    FORM("fcvtpu x0, d1", 0x12ec05999c7a6db3);
    FORM("fcvtpu v0.2d, v1.2d", 0x88003c8029476636);
    FORM("fcvtms w0, d1", 0xc2a48b369989a9b9);
    FORM("fcvtms x0, d1", 0xb3a23f8d079dc095);
    FORM("fcvtms v0.2d, v1.2d", 0xef2f972c80d014bc);
    FORM("fcvtmu w0, d1", 0xdaee9d767f06a6df);
    FORM("fcvtmu x0, d1", 0xcbc0a5789e0897e2);
    FORM("fcvtmu v0.2d, v1.2d", 0xd4c1e8cd18b93dc7);
    FORM("fcvtzs w0, d1", 0xc2a48b369989a9b9);
    FORM("fcvtzs x0, d1", 0xb3a23f8d079dc095);
    FORM("fcvtzs v0.2d, v1.2d", 0x76f37b5c24d8b796);
    FORM("fcvtzu w0, d1", 0xdaee9d767f06a6df);
    FORM("fcvtzu x0, d1", 0xcbc0a5789e0897e2);
    FORM("fcvtzu v0.2d, v1.2d", 0xd4c1e8cd18b93dc7);
    FORM("fcvtas w0, d1", 0x8a5bbfda7e198a02);
    FORM("fcvtas x0, d1", 0x76e3de1b7a0e0be7);
    FORM("fcvtas v0.2d, v1.2d", 0x66056cc57ab86fdd);
    FORM("fcvtau w0, d1", 0x010731c6d8340918);
    FORM("fcvtau x0, d1", 0xa52ee8208e37cc74);
    FORM("fcvtau v0.2d, v1.2d", 0xf4eb89a01a15014f);
    FORM("fcvtzs x0, d1, #7", 0xaad54de4cab2454b);
    FORM("fcvtzu w0, d1, #13", 0xf5bc04f386031a76);
    FORM("fcvtzs v0.2d, v1.2d, #5", 0xb2c85091961d867e);
    FORM("fcvtzu d0, d1, #9", 0x34c39312d5865114);
    FORM("fcvt s0, d1", 0x95fa8e4442facab3);
    FORM("fcvt h0, d1", 0x02d75e2e2bdc027a);
    FORM("fcvtn v0.2s, v1.2d", 0x50b0511bfc68ebb7);
    FORM("fcvtn2 v0.4s, v1.2d", 0xaa2bc8c833d40be4);
    FORM("fcvtxn v0.2s, v1.2d", 0xb4e1e6962f6d40c5);
    forms_end();
}
