#include "keysyms.h"

#include <stdint.h>

unsigned long keysym_of_scancode(int scancode)
{
    static const unsigned long editing[] = {
        0xff0d, 0xff1b, 0xff08, 0xff09, 0x20,       /* 40: return escape backspace tab space */
        '-', '=', '[', ']', '\\', '#', ';', '\'', '`', ',', '.', '/', /* 45 */
    };
    static const unsigned long moving[] = {
        0xff63, 0xff50, 0xff55, 0xffff, 0xff57, 0xff56, /* 73: insert home up delete end down */
        0xff53, 0xff51, 0xff54, 0xff52,                 /* 79: right left down up */
    };
    static const unsigned long modifiers[] = {
        0xffe3, 0xffe1, 0xffe9, 0xffeb, 0xffe4, 0xffe2, 0xffea, 0xffec, /* 224: left, right */
    };
    if (scancode >= 4 && scancode < 30)
        return (unsigned long)('a' + scancode - 4);
    if (scancode >= 30 && scancode < 40)
        return (unsigned long)('0' + (scancode - 29) % 10);
    if (scancode >= 40 && scancode < 57)
        return editing[scancode - 40];
    if (scancode >= 58 && scancode < 70)
        return (unsigned long)(0xffbe + scancode - 58); /* F1 ... */
    if (scancode >= 73 && scancode < 83)
        return moving[scancode - 73];
    if (scancode >= 224 && scancode < 232)
        return modifiers[scancode - 224];
    return 0;
}

int sdl12_symbol_of_scancode(int scancode)
{
    static const uint16_t moving[] = {277, 278, 280, 127, 279, 281, 275, 276, 274, 273}; /* 73 */
    static const uint16_t modifiers[] = {306, 304, 308, 311, 305, 303, 307, 312};        /* 224 */
    if (scancode >= 58 && scancode < 70)
        return 282 + scancode - 58; /* F1 ... */
    if (scancode >= 73 && scancode < 83)
        return moving[scancode - 73];
    if (scancode >= 224 && scancode < 232)
        return modifiers[scancode - 224];
    return (int)(keysym_of_scancode(scancode) & 0x7f); /* letters and signs are ASCII in both */
}
