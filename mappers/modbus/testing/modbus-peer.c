/*
 * A Modbus device for tests, on libmodbus: what our driver is tried against was not written by us.
 *
 *   modbus-peer tcp [ADDRESS]
 *   modbus-peer rtu FILE BAUD PARITY(N|E|O) STOPBITS UNIT
 *
 * Over TCP it has every unit from 0 to 255, each with 65,536 of all four kinds, on a port of its own choice. It
 * says "ready PORT" and then answers each line on stdin with one line on stdout, "ok …" or "error …":
 *
 *   set UNIT KIND OFFSET VALUE…     KIND: coil, discrete, input, holding
 *   get UNIT KIND OFFSET COUNT      "ok VALUE…"
 *   hole UNIT KIND OFFSET COUNT     requests that touch it are answered with exception 2
 *   limit COUNT                     requests for more registers are answered with exception 3; 0: none
 *   requests                        "ok TOTAL UNIT/FUNCTION/OFFSET/COUNT…": the last 4,096 since the last "forget"
 *   forget                          of requests, holes and all below
 *   connections                     "ok OPEN ACCEPTED"
 *   next TIMES WHAT [ARGUMENT]      what becomes of requests, TIMES of them (-1: all):
 *     exception CODE  delay MS  mute  close (after the answer)  drop (without one)  unit N (another one answers)
 *     transaction (another one)  raw HEX (bytes instead of the answer)  noise HEX (bytes before the answer)
 *     split MS (the answer in two, TCP)
 */
#include <errno.h>
#include <fcntl.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SPACE 65536
#define UNITS 256
#define MAX_CLIENTS 512
#define MAX_HOLES 1024
#define MAX_REQUESTS 4096
#define MAX_LINE (1 << 20)

enum kind { COIL, DISCRETE, INPUT, HOLDING, KINDS };
static const char *const KIND_NAMES[KINDS] = {"coil", "discrete", "input", "holding"};

enum what { NOTHING, EXCEPTION, DELAY, MUTE, CLOSE, DROP, UNIT, TRANSACTION, RAW, NOISE, SPLIT, WHATS };
static const char *const WHAT_NAMES[WHATS] = {"nothing", "exception", "delay", "mute",  "close", "drop",
                                              "unit",    "transaction", "raw", "noise", "split"};

struct hole {
  int unit, start, count;
  enum kind kind;
};
struct request {
  int unit, function, offset, count;
};

static modbus_mapping_t *units[UNITS];
static struct hole holes[MAX_HOLES];
static int hole_count;
static struct request requests[MAX_REQUESTS];
static long request_total;
static int register_limit;
static enum what next_what;
static int next_times, next_argument;
static uint8_t next_bytes[600];
static int next_length;
static int rtu_unit = -1;
static int clients[MAX_CLIENTS], client_count;
static long accepted;

static void *zeroed(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) exit(3);
  return memory;
}

/* By hand and not with modbus_mapping_new: that one writes to all of it, and each unit would cost 400 kB. */
static modbus_mapping_t *unit_of(int unit) {
  if (units[unit] != NULL) return units[unit];
  modbus_mapping_t *map = zeroed(1, sizeof *map);
  map->nb_bits = map->nb_input_bits = map->nb_registers = map->nb_input_registers = SPACE;
  map->tab_bits = zeroed(SPACE, 1);
  map->tab_input_bits = zeroed(SPACE, 1);
  map->tab_registers = zeroed(SPACE, sizeof(uint16_t));
  map->tab_input_registers = zeroed(SPACE, sizeof(uint16_t));
  units[unit] = map;
  return map;
}

static int kind_of_function(int function) {
  switch (function) {
  case 1:
  case 5:
  case 15:
    return COIL;
  case 2:
    return DISCRETE;
  case 4:
    return INPUT;
  default:
    return HOLDING;
  }
}

static int in_hole(const struct request *request) {
  for (int at = 0; at < hole_count; at += 1) {
    const struct hole *hole = &holes[at];
    if (hole->unit == request->unit && (int)hole->kind == kind_of_function(request->function) &&
        request->offset < hole->start + hole->count && hole->start < request->offset + request->count)
      return 1;
  }
  return 0;
}

static void pause_ms(int ms) {
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&time, NULL);
}

static void write_all(int fd, const uint8_t *bytes, int length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written <= 0) return;
    bytes += written;
    length -= written;
  }
}

/* Lets libmodbus answer into a pair of sockets, and sends what it said in two parts. */
static int reply_split(modbus_t *ctx, uint8_t *query, int length, modbus_mapping_t *map, int fd) {
  int pair[2];
  uint8_t answer[MODBUS_TCP_MAX_ADU_LENGTH];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return -1;
  modbus_set_socket(ctx, pair[0]);
  int result = modbus_reply(ctx, query, length, map);
  modbus_set_socket(ctx, fd);
  ssize_t got = read(pair[1], answer, sizeof answer);
  close(pair[0]);
  close(pair[1]);
  if (got < 4) return -1;
  write_all(fd, answer, 4);
  pause_ms(next_argument);
  write_all(fd, answer + 4, got - 4);
  return result;
}

/* @returns -1 where the connection is to be closed */
static int answer(modbus_t *ctx, uint8_t *query, int length, int fd) {
  int header = modbus_get_header_length(ctx);
  struct request *request = &requests[request_total % MAX_REQUESTS];
  request->unit = query[header - 1];
  request->function = query[header];
  request->offset = (query[header + 1] << 8) | query[header + 2];
  request->count = (query[header + 3] << 8) | query[header + 4];
  if (request->function == 5 || request->function == 6 || request->function == 22) request->count = 1;
  request_total += 1;
  modbus_mapping_t *map = unit_of(request->unit);
  enum what what = NOTHING;
  if (next_times != 0) {
    what = next_what;
    if (next_times > 0) next_times -= 1;
  }
  switch (what) {
  case EXCEPTION:
    modbus_reply_exception(ctx, query, next_argument);
    return 0;
  case DELAY:
    pause_ms(next_argument);
    break;
  case MUTE:
    return 0;
  case DROP:
    return -1;
  case UNIT:
    query[header - 1] = next_argument;
    break;
  case TRANSACTION:
    query[1] ^= 0x55;
    break;
  case RAW:
    write_all(fd, next_bytes, next_length);
    return 0;
  case NOISE:
    write_all(fd, next_bytes, next_length);
    break;
  case SPLIT:
    return reply_split(ctx, query, length, map, fd) < 0 ? -1 : 0;
  default:
    break;
  }
  if (in_hole(request)) {
    modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
    return 0;
  }
  if (register_limit > 0 && request->count > register_limit) {
    modbus_reply_exception(ctx, query, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE);
    return 0;
  }
  if (modbus_reply(ctx, query, length, map) < 0 && rtu_unit < 0) return -1;
  return what == CLOSE ? -1 : 0;
}

static int get_value(modbus_mapping_t *map, int kind, int at) {
  switch (kind) {
  case COIL:
    return map->tab_bits[at];
  case DISCRETE:
    return map->tab_input_bits[at];
  case INPUT:
    return map->tab_input_registers[at];
  default:
    return map->tab_registers[at];
  }
}

static void set_value(modbus_mapping_t *map, int kind, int at, int value) {
  switch (kind) {
  case COIL:
    map->tab_bits[at] = value != 0;
    break;
  case DISCRETE:
    map->tab_input_bits[at] = value != 0;
    break;
  case INPUT:
    map->tab_input_registers[at] = value;
    break;
  default:
    map->tab_registers[at] = value;
  }
}

static int name_in(const char *const *names, int count, const char *name) {
  for (int at = 0; name != NULL && at < count; at += 1)
    if (strcmp(names[at], name) == 0) return at;
  return -1;
}

static int number(const char *text) { return text == NULL ? -1 : (int)strtol(text, NULL, 0); }

static void failed(const char *why) { printf("error %s\n", why); }

/* set, get and hole begin alike. @returns whether they are well */
static int place(int *unit, int *kind, int *offset) {
  *unit = number(strtok(NULL, " "));
  *kind = name_in(KIND_NAMES, KINDS, strtok(NULL, " "));
  *offset = number(strtok(NULL, " "));
  if (*unit >= 0 && *unit < UNITS && *kind >= 0 && *offset >= 0 && *offset < SPACE) return 1;
  failed("UNIT KIND OFFSET");
  return 0;
}

static void command_set(void) {
  int unit, kind, offset;
  char *text;
  if (!place(&unit, &kind, &offset)) return;
  while ((text = strtok(NULL, " ")) != NULL && offset < SPACE) set_value(unit_of(unit), kind, offset++, number(text));
  printf("ok\n");
}

static void command_get(void) {
  int unit, kind, offset;
  if (!place(&unit, &kind, &offset)) return;
  int count = number(strtok(NULL, " "));
  if (count < 0 || offset + count > SPACE) return failed("COUNT");
  printf("ok");
  for (int at = 0; at < count; at += 1) printf(" %d", get_value(unit_of(unit), kind, offset + at));
  printf("\n");
}

static void command_hole(void) {
  int unit, kind, offset;
  if (!place(&unit, &kind, &offset)) return;
  if (hole_count == MAX_HOLES) return failed("too many");
  holes[hole_count++] = (struct hole){unit, offset, number(strtok(NULL, " ")), kind};
  printf("ok\n");
}

static void command_requests(void) {
  long first = request_total > MAX_REQUESTS ? request_total - MAX_REQUESTS : 0;
  printf("ok %ld", request_total);
  for (long at = first; at < request_total; at += 1) {
    const struct request *request = &requests[at % MAX_REQUESTS];
    printf(" %d/%d/%d/%d", request->unit, request->function, request->offset, request->count);
  }
  printf("\n");
}

static void command_next(void) {
  int times = number(strtok(NULL, " "));
  int what = name_in(WHAT_NAMES, WHATS, strtok(NULL, " "));
  char *argument = strtok(NULL, " ");
  if (what < 0) return failed("WHAT");
  next_length = 0;
  if (what == RAW || what == NOISE) {
    for (; argument != NULL && argument[0] != 0 && argument[1] != 0 && next_length < (int)sizeof next_bytes;
         argument += 2) {
      unsigned byte;
      if (sscanf(argument, "%2x", &byte) != 1) return failed("HEX");
      next_bytes[next_length++] = byte;
    }
  } else next_argument = number(argument);
  next_what = what;
  next_times = times;
  printf("ok\n");
}

static void command(char *line) {
  char *name = strtok(line, " ");
  if (name == NULL) failed("empty");
  else if (strcmp(name, "set") == 0) command_set();
  else if (strcmp(name, "get") == 0) command_get();
  else if (strcmp(name, "hole") == 0) command_hole();
  else if (strcmp(name, "requests") == 0) command_requests();
  else if (strcmp(name, "next") == 0) command_next();
  else if (strcmp(name, "connections") == 0) printf("ok %d %ld\n", client_count, accepted);
  else if (strcmp(name, "limit") == 0) {
    register_limit = number(strtok(NULL, " "));
    printf("ok\n");
  } else if (strcmp(name, "forget") == 0) {
    request_total = hole_count = next_times = register_limit = 0;
    printf("ok\n");
  } else failed("no such command");
  fflush(stdout);
}

/* @returns -1 at the end of stdin: whoever started us is gone */
static int read_commands(void) {
  static char line[MAX_LINE];
  static size_t length;
  ssize_t got = read(0, line + length, sizeof line - length - 1);
  if (got <= 0) return -1;
  length += got;
  char *end;
  while ((end = memchr(line, '\n', length)) != NULL) {
    *end = 0;
    size_t used = end - line + 1;
    command(line);
    memmove(line, end + 1, length - used);
    length -= used;
  }
  return length == sizeof line - 1 ? -1 : 0;
}

static int listen_on(const char *address, int *port) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  socklen_t size = sizeof name;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || inet_pton(AF_INET, address, &name.sin_addr) != 1) return -1;
  if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || listen(fd, 128) != 0) return -1;
  if (getsockname(fd, (struct sockaddr *)&name, &size) != 0) return -1;
  *port = ntohs(name.sin_port);
  return fd;
}

static void take_client(int listener) {
  int one = 1;
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) return;
  if (client_count == MAX_CLIENTS) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  clients[client_count++] = fd;
  accepted += 1;
}

static void serve_tcp(modbus_t *ctx, int listener) {
  static struct pollfd polled[MAX_CLIENTS + 2];
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  for (;;) {
    polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (int at = 0; at < client_count; at += 1)
      polled[at + 2] = (struct pollfd){.fd = clients[at], .events = POLLIN};
    int count = client_count;
    if (poll(polled, count + 2, -1) < 0 && errno != EINTR) return;
    if (polled[0].revents != 0 && read_commands() < 0) return;
    for (int at = count - 1; at >= 0; at -= 1) {
      if (polled[at + 2].revents == 0) continue;
      modbus_set_socket(ctx, clients[at]);
      int length = modbus_receive(ctx, query);
      if (length == 0 || (length > 0 && answer(ctx, query, length, clients[at]) == 0)) continue;
      close(clients[at]);
      clients[at] = clients[--client_count];
    }
    if (polled[1].revents != 0) take_client(listener);
  }
}

static void serve_rtu(modbus_t *ctx) {
  uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
  for (;;) {
    struct pollfd polled[2] = {{.fd = 0, .events = POLLIN}, {.fd = modbus_get_socket(ctx), .events = POLLIN}};
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return;
    if (polled[0].revents != 0 && read_commands() < 0) return;
    if (polled[1].revents == 0) continue;
    int length = modbus_receive(ctx, query);
    if (length > 0) answer(ctx, query, length, polled[1].fd);
    else if (length < 0 && (errno == EIO || errno == ECONNRESET)) return;
    else modbus_flush(ctx); /* else what is left of one message stays before all that follow */
  }
}

int main(int count, char **arguments) {
  if (count >= 2 && strcmp(arguments[1], "tcp") == 0) {
    int port;
    int listener = listen_on(count > 2 ? arguments[2] : "127.0.0.1", &port);
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", 0);
    if (listener < 0 || ctx == NULL) {
      fprintf(stderr, "cannot listen: %s\n", strerror(errno));
      return 1;
    }
    printf("ready %d\n", port);
    fflush(stdout);
    serve_tcp(ctx, listener);
    return 0;
  }
  if (count == 7 && strcmp(arguments[1], "rtu") == 0) {
    modbus_t *ctx = modbus_new_rtu(arguments[2], number(arguments[3]), arguments[4][0], 8, number(arguments[5]));
    rtu_unit = number(arguments[6]);
    if (ctx == NULL || modbus_set_slave(ctx, rtu_unit) != 0 || modbus_connect(ctx) != 0) {
      fprintf(stderr, "cannot open %s: %s\n", arguments[2], modbus_strerror(errno));
      return 1;
    }
    printf("ready 0\n");
    fflush(stdout);
    serve_rtu(ctx);
    return 0;
  }
  fprintf(stderr, "modbus-peer tcp [ADDRESS] | rtu FILE BAUD PARITY STOPBITS UNIT\n");
  return 2;
}
