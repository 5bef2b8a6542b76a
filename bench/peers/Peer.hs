-- The peers in Concurrent Haskell: prints lines "name median p99", in nanoseconds.
--
--   ghc -O2 -threaded -with-rtsopts=-N2 Peer.hs && ./Peer [NAME...]
--
-- The target is on the one capability, the sender on the other one. `throwTo` returns when the
-- exception has been received. A thread of GHC's that waits sleeps in no system call of its own:
-- the runtime's scheduler does that for it.
module Main (main) where

import Control.Concurrent
import Control.Exception
import Control.Monad
import Data.IORef
import Data.List (sort)
import Data.Word (Word64)
import GHC.Clock (getMonotonicTimeNSec)
import System.Environment (getArgs)
import System.IO
import System.Posix.IO (createPipe, fdRead)
import System.Timeout (timeout)

data StopIt = StopIt deriving Show
instance Exception StopIt

tell :: String -> [Double] -> IO ()
tell name times = do
  putStrLn $ unwords [name, show (at 0.5), show (at 0.99)]
  hFlush stdout
 where
  sorted = sort times
  at :: Double -> Double
  at part = sorted !! floor (part * fromIntegral (length times - 1))

-- Of 30 times, each of so many calls.
each :: String -> Int -> IO () -> IO ()
each name calls what = do
  replicateM_ calls what
  times <- replicateM 30 $ do
    begin <- getMonotonicTimeNSec
    replicateM_ calls what
    end <- getMonotonicTimeNSec
    return $ fromIntegral (end - begin) / fromIntegral calls
  tell name times

spinFor :: Word64 -> IO ()
spinFor nanoseconds = getMonotonicTimeNSec >>= until' . (+ nanoseconds)
 where until' end = do now <- getMonotonicTimeNSec; when (now < end) (until' end)

-- `work` goes on until it is interrupted.
caught :: String -> Int -> Word64 -> IO () -> IO ()
caught name count settle work = do
  ready <- newIORef False
  noticed <- newEmptyMVar
  target <- forkOn 1 $ replicateM_ count $ mask $ \restore -> do
    writeIORef ready True
    restore work `catch` \StopIt -> getMonotonicTimeNSec >>= putMVar noticed
  both <- replicateM count $ do
    let await = readIORef ready >>= \is -> unless is (yield >> await)
    await
    writeIORef ready False
    spinFor settle
    before <- getMonotonicTimeNSec
    throwTo target StopIt
    sent <- getMonotonicTimeNSec
    at <- takeMVar noticed
    return (fromIntegral (at - before), fromIntegral (sent - before))
  tell ("caught_" ++ name) (map fst both)
  tell ("send_" ++ name) (map snd both)

running :: IO ()
running = do
  ref <- newIORef (0 :: Integer)
  forever $ modifyIORef' ref (+ 1)

-- Four senders to one target: the time that one exception takes.
storm :: IO ()
storm = do
  let perSender = 1000 :: Int
  got <- newIORef (0 :: Int)
  begun <- newEmptyMVar
  done <- newEmptyMVar
  target <- forkOn 1 $ mask $ \restore -> do
    putMVar begun ()  -- an exception that came earlier would end the thread
    let loop = do
          restore running `catch` \StopIt -> modifyIORef' got (+ 1)
          n <- readIORef got
          unless (n == 4 * perSender) loop
    loop
    putMVar done ()
  takeMVar begun
  begin <- getMonotonicTimeNSec
  replicateM_ 4 $ forkOn 0 $ replicateM_ perSender (throwTo target StopIt)
  takeMVar done
  end <- getMonotonicTimeNSec
  tell "storm" [fromIntegral (end - begin) / fromIntegral (4 * perSender)]

blockedRead :: IO ()
blockedRead = do
  (out, _) <- createPipe
  caught "read" 300 200000 (threadWaitRead out >> void (fdRead out 1))

main :: IO ()
main = do
  wanted <- getArgs
  over <- newEmptyMVar
  never <- newEmptyMVar :: IO (MVar ())
  let all' =
        [ ("poll", mask_ $ each "poll" 200000 allowInterrupt)
        , ("mask", each "mask" 200000 (mask_ (return ())))
        , ("caught_running", caught "running" 1000 20000 running)
        , ("caught_read", blockedRead)
        , ("caught_condition", caught "condition" 300 200000 (takeMVar never))
        , ("caught_sleep", caught "sleep" 300 200000 (threadDelay 1000000000))
        , ("storm", storm)
        , ("timeout", each "timeout" 10000 (void $ timeout 1000000 (return ())))
        , ("thread", each "thread" 2000 $ do
            v <- newEmptyMVar
            _ <- forkIO (putMVar v ())
            takeMVar v)
        ]
  _ <- forkOn 0 $ do
    sequence_ [what | (name, what) <- all', null wanted || name `elem` wanted]
    putMVar over ()
  takeMVar over
  putMVar never ()
