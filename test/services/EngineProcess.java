import java.io.Closeable;
import java.io.IOException;
import java.util.function.BiConsumer;

/** What the mains of all engines share: their arguments, and how long they live. */
final class EngineProcess {
  private EngineProcess() {}

  /** Hands on the arguments behind the directory, setting=value each. */
  static void readSettings(String[] args, BiConsumer<String, String> put) {
    for (int index = 1; index < args.length; index++) {
      String[] pair = args[index].split("=", 2);
      put.accept(pair[0], pair[1]);
    }
  }

  /** Lets a node serve until its process is asked to end, or the one that started it is gone. */
  static void serve(Closeable node) throws IOException {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
    System.out.println("started");
    // Whoever started it holds the other end: nothing is left running when that process is killed.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  private static void close(Closeable node) {
    try {
      node.close();
    } catch (IOException error) {
      error.printStackTrace();
    }
  }
}
