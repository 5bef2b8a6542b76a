// The peers in Java: prints lines "name median p99", in nanoseconds.
//
//   javac -d DIR Peer.java && java -cp DIR Peer [NAME...]
//
// An interrupt is a flag: a second one is the same as the first, nothing holds it back, and what it
// raises is not the sender's choice. One in a read closes the channel. A timeout that does not
// expire is one that a scheduled executor is told of and then cancelled; a race and a group are
// platform threads of their own, as ours are.

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

class Peer {
  interface Work {
    void run() throws Exception;
  }

  static void tell(String name, double[] times) {
    Arrays.sort(times);
    System.out.printf("%s %.2f %.2f%n", name, times[(times.length - 1) / 2],
        times[(int) (0.99 * (times.length - 1))]);
  }

  static void each(String name, int rounds, int calls, Work work) throws Exception {
    double[] times = new double[rounds];
    for (int warm = 0; warm < 2; ++warm)
      for (int i = 0; i < rounds; ++i) {
        long begin = System.nanoTime();
        for (int call = 0; call < calls; ++call) work.run();
        times[i] = (System.nanoTime() - begin) / (double) calls;
      }
    tell(name, times);
  }

  static void spinFor(long nanoseconds) {
    for (long end = System.nanoTime() + nanoseconds; System.nanoTime() < end;) Thread.onSpinWait();
  }

  static volatile boolean isReady;
  static volatile long noticed;

  // `work` goes on until it is interrupted. The first half of the rounds warms up.
  static void caught(String name, int count, boolean sleeps, Work work) throws Exception {
    noticed = 0;
    isReady = false;
    Thread target = new Thread(() -> {
      for (int i = 0; i < 2 * count; ++i) {
        isReady = true;
        try {
          work.run();
        } catch (InterruptedException | ClosedByInterruptException e) {
          noticed = System.nanoTime();
          Thread.interrupted();
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
        while (noticed != 0) Thread.onSpinWait();
      }
    });
    target.start();
    double[] latency = new double[count];
    double[] sending = new double[count];
    for (int i = 0; i < 2 * count; ++i) {
      while (!isReady) Thread.onSpinWait();
      isReady = false;
      spinFor(sleeps ? 200_000 : 2_000);
      long before = System.nanoTime();
      target.interrupt();
      long sent = System.nanoTime();
      while (noticed == 0) Thread.onSpinWait();
      latency[i % count] = noticed - before;
      sending[i % count] = sent - before;
      noticed = 0;
    }
    target.join();
    tell("caught_" + name, latency);
    tell("send_" + name, sending);
  }

  static void poll() throws InterruptedException {
    if (Thread.interrupted()) throw new InterruptedException();
  }
  static void pollForEver() throws InterruptedException {
    for (;;) poll();
  }

  static void read() throws IOException {
    Pipe pipe = Pipe.open();
    try {
      pipe.source().read(ByteBuffer.allocate(1));
    } finally {
      pipe.source().close();
      pipe.sink().close();
    }
  }

  static final Object never = new Object();
  static void await() throws InterruptedException {
    synchronized (never) {
      for (;;) never.wait();
    }
  }

  static void timeout(ScheduledThreadPoolExecutor timer) {
    timer.schedule(Thread.currentThread()::interrupt, 1, TimeUnit.SECONDS).cancel(false);
  }

  // The first of two to end wins; the other one is interrupted, and joined.
  static void race() throws InterruptedException {
    SynchronousQueue<Integer> winner = new SynchronousQueue<>();
    Thread quick = new Thread(() -> offer(winner));
    Thread slow = new Thread(Peer::waitToBeInterrupted);
    quick.start();
    slow.start();
    winner.take();
    slow.interrupt();
    slow.join();
    quick.join();
  }

  static void offer(SynchronousQueue<Integer> winner) {
    try {
      winner.put(1);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  static void waitToBeInterrupted() {
    try {
      Thread.sleep(1_000_000);
    } catch (InterruptedException e) {
      // as asked
    }
  }

  static List<Thread> started(Runnable body) {
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < 100; ++i) all.add(new Thread(body));
    for (Thread one : all) one.start();
    return all;
  }

  static void group() throws InterruptedException {
    for (Thread one : started(() -> {})) one.join();
  }

  static void endOfGroup() throws InterruptedException {
    List<Thread> all = started(Peer::waitToBeInterrupted);
    for (Thread one : all) one.interrupt();
    for (Thread one : all) one.join();
  }

  public static void main(String[] wanted) throws Exception {
    ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    timer.setRemoveOnCancelPolicy(true);
    Map<String, Work> all = new LinkedHashMap<>();
    all.put("poll", () -> each("poll", 100, 100_000, Peer::poll));
    all.put("caught_running", () -> caught("running", 3000, false, Peer::pollForEver));
    all.put("caught_read", () -> caught("read", 300, true, Peer::read));
    all.put("caught_condition", () -> caught("condition", 300, true, Peer::await));
    all.put("caught_sleep", () -> caught("sleep", 300, true, () -> Thread.sleep(1_000_000)));
    all.put("timeout", () -> each("timeout", 100, 10_000, () -> timeout(timer)));
    all.put("thread", () -> each("thread", 300, 1, () -> {
      Thread one = new Thread(() -> {});
      one.start();
      one.join();
    }));
    all.put("race", () -> each("race", 100, 1, Peer::race));
    all.put("group", () -> each("group", 20, 1, Peer::group));
    all.put("end", () -> each("end", 20, 1, Peer::endOfGroup));
    for (Map.Entry<String, Work> one : all.entrySet())
      if (wanted.length == 0 || Arrays.asList(wanted).contains(one.getKey())) one.getValue().run();
    timer.shutdownNow();
  }
}
