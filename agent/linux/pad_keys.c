/* Keys for games that read no pad: the board's table says which control is which key. */
#include "../core/pad.h"

static void apply(const ng_pad *pad)
{
    (void)pad;
}

const pad_driver pad_keys = {"keys", apply};
