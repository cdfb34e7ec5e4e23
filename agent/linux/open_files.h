/* Files that the game has open, when it is copied. */
#ifndef NG_OPEN_FILES_H
#define NG_OPEN_FILES_H

/* In a copy: open anew what the game reads. A descriptor that is inherited shares its place in the
 * file with the original, so what one copy reads the next one would miss. */
void open_files_part(void);

#endif
