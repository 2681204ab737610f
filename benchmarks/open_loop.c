/* Sends prepared requests at a constant rate, whatever the server does, and says how long each answer took.
 *
 *     open_loop PORT FILE CONNECTIONS RATE STATUSES
 *
 * FILE holds whole HTTP requests, each after its length (4 bytes, little endian). A request is due at a fixed moment; when
 * no connection is free it waits, and the waiting counts: times are from the moment it was due to the end of its answer.
 * With a RATE of 0 all are due at once and times are from the moment of sending. STATUSES gets a byte for each request: the
 * first digit of its status, 0 where no answer came. Prints a line that benchmarks/loading.py reads.
 *
 * One thread and ppoll: it shares the machine with what it measures.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, HEAD = 65536, TRIES = 5 };
static const double ANSWER_WITHIN_S = 60;

struct connection {
    int fd, tries, busy;
    uint32_t number;      /* of the request that is under way */
    size_t sent, got;     /* bytes of it, bytes of its answer */
    double started;
    char answer[HEAD + 1];
};

static struct connection connections[MOST_CONNECTIONS];
static struct pollfd polled[MOST_CONNECTIONS];
static int idle[MOST_CONNECTIONS], idle_first, idle_count, width;
static struct sockaddr_in server;
static const char **requests;
static uint32_t *lengths, count, finished, failed, reconnected;
static double *took, begin, rate;
static char *statuses;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void load(const char *path) {
    int file = open(path, O_RDONLY);
    struct stat about;
    if (file < 0 || fstat(file, &about) < 0) fail(path);
    const char *data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED) fail(path);
    size_t room = 1024;
    requests = malloc(room * sizeof *requests);
    lengths = malloc(room * sizeof *lengths);
    for (const char *place = data; place < data + about.st_size; place += lengths[count++]) {
        if (count == room) {
            room *= 2;
            requests = realloc(requests, room * sizeof *requests);
            lengths = realloc(lengths, room * sizeof *lengths);
        }
        memcpy(&lengths[count], place, 4);
        requests[count] = place += 4;
    }
    took = calloc(count, sizeof *took);
    statuses = calloc(count, 1);
}

static void open_connection(struct connection *one) {
    int yes = 1;
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one->fd < 0) fail("socket");
    if (connect(one->fd, (struct sockaddr *)&server, sizeof server) < 0) {
        close(one->fd);
        one->fd = -1;
        return;
    }
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(one->fd, F_SETFL, O_NONBLOCK);
}

static void close_connection(struct connection *one) {
    if (one->fd >= 0) close(one->fd);
    one->fd = -1;
}

static double due(uint32_t number) { return rate > 0 ? begin + number / rate : begin; }

static void finish(struct connection *one, int status) {
    took[one->number] = now() - (rate > 0 ? due(one->number) : one->started);
    statuses[one->number] = (char)status;
    failed += status != 2;
    finished++;
    one->busy = 0;
    idle[(idle_first + idle_count++) % width] = (int)(one - connections);
}

static void push(struct connection *one);

/* A server may close an idle connection at any time, so the request goes again on a new one; it is known by its id. */
static void again(struct connection *one) {
    close_connection(one);
    if (++one->tries > TRIES) {
        finish(one, 0);
        return;
    }
    reconnected++;
    one->sent = one->got = 0;
    push(one);
}

static void push(struct connection *one) {
    if (one->fd < 0) open_connection(one);
    if (one->fd < 0) {
        again(one);
        return;
    }
    size_t length = lengths[one->number];
    while (one->sent < length) {
        ssize_t wrote = send(one->fd, requests[one->number] + one->sent, length - one->sent, MSG_NOSIGNAL);
        if (wrote < 0) {
            if (errno == EAGAIN) return;
            again(one);
            return;
        }
        one->sent += (size_t)wrote;
    }
}

static void pull(struct connection *one) {
    ssize_t read_now = recv(one->fd, one->answer + one->got, HEAD - one->got, 0);
    if (read_now < 0 && errno == EAGAIN) return;
    if (read_now <= 0) {
        again(one);
        return;
    }
    one->got += (size_t)read_now;
    one->answer[one->got] = 0;
    char *end = strstr(one->answer, "\r\n\r\n");
    if (end == NULL || one->got < 12) return;
    char *length = strcasestr(one->answer, "\r\nContent-Length:");
    size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (one->got < (size_t)(end + 4 - one->answer) + body) return;
    char *closing = strcasestr(one->answer, "\r\nConnection: close");
    if (closing != NULL && closing < end) close_connection(one);
    finish(one, one->answer[9] - '0');
}

static void start(uint32_t number) {
    struct connection *one = &connections[idle[idle_first]];
    idle_first = (idle_first + 1) % width;
    idle_count--;
    one->busy = 1;
    one->number = number;
    one->sent = one->got = 0;
    one->tries = 0;
    one->started = now();
    push(one);
}

static void wait_for_something(double until) {
    double left = until - now();
    struct timespec most = {0, 0};
    if (left > 0) {
        most.tv_sec = (time_t)left;
        most.tv_nsec = (long)((left - (double)most.tv_sec) * 1e9);
    }
    for (int place = 0; place < width; place++) {
        struct connection *one = &connections[place];
        polled[place].fd = one->busy ? one->fd : -1;
        polled[place].events = one->busy && one->sent < lengths[one->number] ? POLLIN | POLLOUT : POLLIN;
        polled[place].revents = 0;
    }
    if (ppoll(polled, (nfds_t)width, &most, NULL) < 0 && errno != EINTR) fail("ppoll");
}

static void go_on(void) {
    for (int place = 0; place < width; place++) {
        struct connection *one = &connections[place];
        if (!one->busy) continue;
        if (polled[place].revents & POLLOUT) push(one);
        if (one->busy && polled[place].revents & (POLLIN | POLLERR | POLLHUP)) pull(one);
        if (one->busy && now() - one->started > ANSWER_WITHIN_S) {
            close_connection(one);
            finish(one, 0);
        }
    }
}

static int by_size(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    load(argv[2]);
    width = atoi(argv[3]);
    rate = atof(argv[4]);
    if (width < 1 || width > MOST_CONNECTIONS || count == 0) return 2;
    for (int place = 0; place < width; place++) {
        connections[place].fd = -1;
        idle[idle_count++] = place;
    }
    begin = now();
    for (uint32_t next = 0; finished < count;) {
        while (next < count && idle_count > 0 && due(next) <= now()) start(next++);
        wait_for_something(next < count && idle_count > 0 ? due(next) : now() + 1);
        go_on();
    }
    double seconds = now() - begin;
    FILE *file = fopen(argv[5], "wb");
    if (file == NULL || fwrite(statuses, 1, count, file) != count || fclose(file) != 0) fail(argv[5]);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    qsort(took, count, sizeof *took, by_size);
    printf("RESULT %u %u %u %.6f %.6f %.6f %.6f %.3f\n", count, failed, reconnected, seconds, took[count / 2],
           took[(uint64_t)count * 99 / 100], took[count - 1],
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
