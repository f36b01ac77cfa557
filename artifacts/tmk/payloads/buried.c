/* Says one thing in the middle of more output than a console keeps in memory: who looks for it must look at everything. */
#include "tmk.h"

TMK_TEST(buried, 0)
{
    static char text[65535];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 64 == 63 ? '\n' : 'a' + i % 26;
    for (int i = 0; i < 40; i++)
        tmk_log_bytes(text, sizeof(text));
    tmk_log("what must not be said");
    for (int i = 0; i < 120; i++)
        tmk_log_bytes(text, sizeof(text));
}
