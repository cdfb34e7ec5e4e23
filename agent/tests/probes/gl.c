/* OpenGL without SDL: "glx" in an X11 window, "egl" in an X11 window, "surfaceless" in a pixel buffer
 * of EGL without any display. Declared here; the libraries are opened at run time. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *x11, *gl, *egl;
static int width = 64, height = 48;
#define FROM(library, result, name, ...) ((result (*)(__VA_ARGS__))dlsym(library, #name))

static void draw(unsigned frame)
{
    FROM(gl, void, glClearColor, float, float, float, float)(1.0f, (float)(frame % 2), 0.2f, 1.0f);
    FROM(gl, void, glClear, unsigned)(0x4000u);
}

static unsigned long x_window(void *display)
{
    unsigned long root = FROM(x11, unsigned long, XDefaultRootWindow, void *)(display);
    unsigned long window = FROM(x11, unsigned long, XCreateSimpleWindow, void *, unsigned long, int,
                                int, unsigned, unsigned, unsigned, unsigned long, unsigned long)(
        display, root, 0, 0, (unsigned)width, (unsigned)height, 0, 0, 0);
    FROM(x11, int, XMapWindow, void *, unsigned long)(display, window);
    return window;
}

static int run_glx(void)
{
    int attributes[] = {4, 5, 12, 24, 0}; /* RGBA, double buffer, depth 24 */
    void *display = FROM(x11, void *, XOpenDisplay, const char *)(NULL);
    void *visual = FROM(gl, void *, glXChooseVisual, void *, int, int *)(display, 0, attributes);
    void *context = FROM(gl, void *, glXCreateContext, void *, void *, void *, int)(display, visual,
                                                                                    NULL, 1);
    unsigned long window = x_window(display);
    if (!FROM(gl, int, glXMakeCurrent, void *, unsigned long, void *)(display, window, context))
        return 3;
    for (unsigned frame = 0;; frame++) {
        draw(frame);
        FROM(gl, void, glXSwapBuffers, void *, unsigned long)(display, window);
    }
}

static int run_egl(int surfaceless)
{
    int wanted[] = {0x3033, surfaceless ? 1 : 4, 0x3040, 8, 0x3024, 8, 0x3038}; /* type, GL, red 8 */
    int size[] = {0x3057, width, 0x3056, height, 0x3038}, count = 0;
    void *native = surfaceless ? NULL : FROM(x11, void *, XOpenDisplay, const char *)(NULL);
    void *display = FROM(egl, void *, eglGetPlatformDisplay, unsigned, void *, const void *)(
        surfaceless ? 0x31ddu : 0x31d5u, native, NULL); /* surfaceless Mesa, X11 */
    void *config, *surface;
    FROM(egl, unsigned, eglInitialize, void *, int *, int *)(display, NULL, NULL);
    FROM(egl, unsigned, eglBindAPI, unsigned)(0x30a2u); /* OpenGL */
    FROM(egl, unsigned, eglChooseConfig, void *, int *, void **, int, int *)(display, wanted,
                                                                            &config, 1, &count);
    if (count < 1)
        return 3;
    if (surfaceless)
        surface = FROM(egl, void *, eglCreatePbufferSurface, void *, void *, int *)(display, config,
                                                                                   size);
    else
        surface = FROM(egl, void *, eglCreateWindowSurface, void *, void *, unsigned long, int *)(
            display, config, x_window(native), NULL);
    void *context = FROM(egl, void *, eglCreateContext, void *, void *, void *, int *)(
        display, config, NULL, NULL);
    FROM(egl, unsigned, eglMakeCurrent, void *, void *, void *, void *)(display, surface, surface,
                                                                       context);
    for (unsigned frame = 0;; frame++) {
        draw(frame);
        FROM(egl, unsigned, eglSwapBuffers, void *, void *)(display, surface);
    }
}

int main(int count, char **arguments)
{
    const char *kind = count > 1 ? arguments[1] : "glx";
    if (count > 3) {
        width = atoi(arguments[2]);
        height = atoi(arguments[3]);
    }
    x11 = dlopen("libX11.so.6", RTLD_NOW);
    gl = dlopen("libGL.so.1", RTLD_NOW | RTLD_GLOBAL);
    egl = dlopen("libEGL.so.1", RTLD_NOW);
    if (!strcmp(kind, "glx"))
        return run_glx();
    return run_egl(!strcmp(kind, "surfaceless"));
}
