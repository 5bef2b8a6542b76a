# The peers in Ruby: prints lines "name median p99", in nanoseconds.
#
#   ruby peer.rb [NAME...]
#
# One thread runs at a time. The sender gives way when it waits for the target to have noticed.
require "timeout"

class StopIt < StandardError; end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def tell(name, times)
  sorted = times.sort
  at = ->(part) { sorted[(part * (sorted.size - 1)).floor] }
  puts "#{name} #{at.(0.5)} #{at.(0.99)}"
  $stdout.flush
end

# Of 30 times, each of so many calls.
def each_call(name, calls)
  tell(name, Array.new(30) {
    start = now
    calls.times { yield }
    (now - start) / calls.to_f
  })
end

# The block goes on until it is interrupted.
def caught(name, count, &work)
  ready = Queue.new
  noticed = Queue.new
  target = Thread.new do
    Thread.handle_interrupt(StopIt => :never) do
      count.times do
        ready << true
        begin
          Thread.handle_interrupt(StopIt => :immediate, &work)
        rescue StopIt
          noticed << now
        end
      end
    end
  end
  both = Array.new(count) do
    ready.pop
    sleep 0.0005
    before = now
    target.raise(StopIt)
    sent = now
    [noticed.pop - before, sent - before]
  end
  target.join
  tell("caught_#{name}", both.map(&:first))
  tell("send_#{name}", both.map(&:last))
end

# Four senders to one target: the time that one exception takes.
def storm
  per_sender = 2000
  ready = Queue.new
  target = Thread.new do
    got = 0
    Thread.handle_interrupt(StopIt => :never) do
      ready << true
      while got < 4 * per_sender
        begin
          Thread.handle_interrupt(StopIt => :immediate) { Thread.pass while true }
        rescue StopIt
          got += 1
        end
      end
    end
  end
  ready.pop
  start = now
  senders = Array.new(4) { Thread.new { per_sender.times { target.raise(StopIt) } } }
  senders.each(&:join)
  target.join
  tell("storm", [(now - start) / (4.0 * per_sender)])
end

pipe, _writer = IO.pipe
mutex = Mutex.new
never = ConditionVariable.new

{
  "mask" => -> { each_call("mask", 20_000) { Thread.handle_interrupt(StopIt => :never) {} } },
  "caught_running" => -> { caught("running", 200) { Thread.pass while true } },
  "caught_read" => -> { caught("read", 300) { pipe.read(1) } },
  "caught_condition" => -> { caught("condition", 300) { mutex.synchronize { never.wait(mutex) } } },
  "caught_sleep" => -> { caught("sleep", 300) { sleep } },
  "storm" => -> { storm },
  "timeout" => -> { each_call("timeout", 500) { Timeout.timeout(1) {} } },
  "thread" => -> { each_call("thread", 200) { Thread.new {}.join } },
}.each { |name, what| what.call if ARGV.empty? || ARGV.include?(name) }
