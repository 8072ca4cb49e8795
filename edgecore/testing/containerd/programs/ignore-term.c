/* Goes on when told to end (SIGTERM), and says so: only a kill ends it. */
#include <signal.h>
#include <unistd.h>

static void ignored(int signal) {
  static const char text[] = "SIGTERM ignored\n";
  (void)signal;
  if (write(1, text, sizeof text - 1) < 0) return;
}

int main(void) {
  static const char ready[] = "ready\n";
  struct sigaction ignoring = {.sa_handler = ignored, .sa_flags = SA_RESTART};
  if (sigaction(SIGTERM, &ignoring, NULL) < 0 || write(1, ready, sizeof ready - 1) < 0) return 1;
  for (;;) pause();
}
