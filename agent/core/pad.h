/* The present state of the pad, and the interfaces that offer it to the game. */
#ifndef NG_PAD_H
#define NG_PAD_H

#include <stdbool.h>
#include <stdint.h>

#include "../protocol.h"

#define NG_PRESSED 0.5f

/* One way for a game to read the pad; adding an interface is adding a file and a line in pad.c. */
typedef struct {
    const char *name;
    void (*apply)(const ng_pad *pad); /* once per step, before the game polls */
} pad_driver;

extern const pad_driver pad_sdl;
extern const pad_driver pad_sdl3;
extern const pad_driver pad_files;
extern const pad_driver pad_keys;

/* Hold this from the next frame on; values out of range are clamped, NaN is 0. */
void pad_set(const ng_pad *pad);

/* What is held. */
const ng_pad *pad_state(void);

/* Offer the state through every interface. */
void pad_apply(void);

/* The raw layout of an Xbox 360 pad under Linux's xpad driver: what games have mappings for. */
#define NG_RAW_AXES 6 /* left x, left y, left trigger, right x, right y, right trigger */
#define NG_RAW_BUTTONS 11
#define NG_PAD_VENDOR 0x045e
#define NG_PAD_PRODUCT 0x028e
#define NG_PAD_NAME "Microsoft X-Box 360 pad"

/* The same for SDL: what follows the identity in a mapping. */
#define NG_PAD_MAPPING \
    "," NG_PAD_NAME ",a:b0,b:b1,x:b2,y:b3,leftshoulder:b4,rightshoulder:b5,back:b6,start:b7," \
    "guide:b8,leftstick:b9,rightstick:b10,dpup:h0.1,dpright:h0.2,dpdown:h0.4,dpleft:h0.8," \
    "leftx:a0,lefty:a1,lefttrigger:a2,rightx:a3,righty:a4,righttrigger:a5,platform:Linux,"

typedef struct {
    int16_t axes[NG_RAW_AXES]; /* triggers rest at -32768 */
    uint8_t buttons[NG_RAW_BUTTONS]; /* A B X Y LB RB back start guide left-stick right-stick */
    int8_t hat_x, hat_y; /* -1, 0, 1; y grows down */
} pad_raw;

void pad_to_raw(const ng_pad *pad, pad_raw *raw);

#endif
