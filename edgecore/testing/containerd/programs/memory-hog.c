/* memory-hog MIB: takes that much memory and writes to all of it, says so, and keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long mib = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
  if (mib <= 0) {
    fputs("usage: memory-hog MIB\n", stderr);
    return 2;
  }
  for (long taken = 0; taken < mib; taken++) {
    char *block = malloc(1 << 20);
    if (block == NULL) return 1;
    memset(block, (int)(taken % 251) + 1, 1 << 20);
  }
  printf("took %ld MiB\n", mib);
  fflush(stdout);
  for (;;) pause();
}
