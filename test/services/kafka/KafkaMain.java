import java.io.IOException;

/** Runs a broker for as long as the process lives that started it. Arguments: those of `kafka.Kafka`. */
public class KafkaMain {
  public static void main(String[] args) {
    Thread watcher = new Thread(KafkaMain::endWithInput, "input");
    watcher.setDaemon(true);
    watcher.start();
    kafka.Kafka.main(args);
  }

  /** Whoever started it holds the other end: nothing is left running when that process is killed. */
  private static void endWithInput() {
    try {
      while (System.in.read() >= 0) {}
    } catch (IOException error) {
      error.printStackTrace();
    }
    Runtime.getRuntime().halt(0);
  }
}
