// The peers of structured_bench.cpp in Java: `java bench/Structured.java`, on the same machine.
//
// A timeout that does not expire is one that a scheduled executor is told of and then cancelled; a
// race and a group are platform threads of their own, as ours are. Medians of many rounds.

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

class Structured {
  interface Round {
    void run() throws InterruptedException;
  }

  static void measure(String name, int rounds, int calls, Round round) throws InterruptedException {
    double[] nanoseconds = new double[rounds];
    for (int warm = 0; warm < 2; ++warm)
      for (int i = 0; i < rounds; ++i) {
        long begin = System.nanoTime();
        for (int call = 0; call < calls; ++call) round.run();
        nanoseconds[i] = (System.nanoTime() - begin) / (double) calls;
      }
    Arrays.sort(nanoseconds);
    System.out.printf("%-30s %12.0f ns%n", name, nanoseconds[rounds / 2]);
  }

  static void timeout(ScheduledThreadPoolExecutor timer) {
    timer.schedule(Thread.currentThread()::interrupt, 1, TimeUnit.SECONDS).cancel(false);
  }

  // The first of two to end wins; the other one is interrupted, and joined.
  static void race() throws InterruptedException {
    SynchronousQueue<Integer> winner = new SynchronousQueue<>();
    Thread quick = new Thread(() -> offer(winner));
    Thread slow = new Thread(Structured::waitToBeInterrupted);
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
    List<Thread> all = started(Structured::waitToBeInterrupted);
    for (Thread one : all) one.interrupt();
    for (Thread one : all) one.join();
  }

  public static void main(String[] arguments) throws InterruptedException {
    ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
    timer.setRemoveOnCancelPolicy(true);
    measure("timeout", 100, 20_000, () -> timeout(timer));
    measure("race_of_two", 500, 1, Structured::race);
    measure("group_of_100", 50, 1, Structured::group);
    measure("start_and_end_of_100", 50, 1, Structured::endOfGroup);
    timer.shutdownNow();
  }
}
